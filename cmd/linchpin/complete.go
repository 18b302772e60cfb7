package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/ent/predicate"
	"github.com/linchpin-cmdb/linchpin/ent/servicetier"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// offered bounds the names that a shell is given to choose from.
const offered = 200

// completeFor is how long a shell waits for them.
const completeFor = 3 * time.Second

// completion offers words for what a person has begun to write.
type completion = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// completeFlag makes the shell complete the value of a flag.
func completeFlag(cmd *cobra.Command, flag string, offer completion) {
	if err := cmd.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // the flag is not defined
	}
}

// vocabulary knows the words that command lines are made of: a server or, without the graph that it would load first,
// a database.
type vocabulary interface {
	classes(ctx context.Context) ([]string, error)
	tiers(ctx context.Context) ([]string, error)
	// names lists names of CIs that begin so, or of services alone.
	names(ctx context.Context, begun string, areServices bool) ([]string, error)
	// keys lists the keys of a source that begin so.
	keys(ctx context.Context, source, begun string) ([]string, error)
}

// offer makes a completion of words of what the command line names. If it cannot be read, there are none.
func offer(env *environment, words func(ctx context.Context, v vocabulary, begun string) ([]string, error)) completion {
	return func(cmd *cobra.Command, _ []string, begun string) (found []string, directive cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completeFor)
		defer cancel()
		v, closed, err := env.vocabulary(ctx, cmd)
		if err == nil {
			defer closed()
			found, err = words(ctx, v, begun)
		}
		if err != nil {
			cobra.CompDebugln(err.Error(), false)
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

func (env *environment) vocabulary(ctx context.Context, cmd *cobra.Command) (vocabulary, func(), error) {
	at, err := env.serverAddress(cmd)
	if err != nil {
		return nil, nil, err
	}
	if at != "" {
		a, err := onServer(env, at)
		return a, func() {}, err
	}
	address, err := env.address()
	if err != nil {
		return nil, nil, err
	}
	s, err := store.OpenReading(ctx, address)
	if err != nil {
		return nil, nil, err
	}
	return tables{s}, func() { _ = s.Close() }, nil
}

// completeCodes completes the last of the codes between commas.
func completeCodes(env *environment, codes func(vocabulary, context.Context) ([]string, error)) completion {
	return offer(env, func(ctx context.Context, v vocabulary, begun string) (found []string, err error) {
		all, err := codes(v, ctx)
		before := begun[:strings.LastIndex(begun, ",")+1]
		for _, code := range all {
			if word := before + code; strings.HasPrefix(word, begun) {
				found = append(found, word)
			}
		}
		return found, err
	})
}

// completeCIs completes names of CIs, and their keys in other systems once a source and a colon are written.
func completeCIs(env *environment) completion {
	return offer(env, func(ctx context.Context, v vocabulary, begun string) ([]string, error) {
		found, err := v.names(ctx, begun, false)
		source, key, ok := strings.Cut(begun, ":")
		if err != nil || !ok {
			return found, err
		}
		keys, err := v.keys(ctx, source, key)
		for _, k := range keys {
			found = append(found, source+":"+k)
		}
		return found, err
	})
}

// completeServices completes the name of one service.
func completeServices(env *environment) completion {
	one := offer(env, func(ctx context.Context, v vocabulary, begun string) ([]string, error) {
		return v.names(ctx, begun, true)
	})
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return one(cmd, args, begun)
	}
}

// tables are the words of a database.
type tables struct{ *store.Store }

func (t tables) classes(ctx context.Context) ([]string, error) {
	return t.Read.CIClass.Query().Order(ciclass.ByCode()).Select(ciclass.FieldCode).Strings(ctx)
}

func (t tables) tiers(ctx context.Context) ([]string, error) {
	return t.Read.ServiceTier.Query().Order(servicetier.ByRank()).Select(servicetier.FieldCode).Strings(ctx)
}

func (t tables) names(ctx context.Context, begun string, areServices bool) ([]string, error) {
	which := []predicate.CI{ci.NameHasPrefix(begun)}
	if areServices {
		which = append(which, ci.ServiceKindNotNil())
	}
	return t.Read.CI.Query().Where(which...).Order(ci.ByName()).Limit(offered).Select(ci.FieldName).Strings(ctx)
}

func (t tables) keys(ctx context.Context, source, begun string) (keys []string, err error) {
	found, err := t.Read.ExternalIdentity.Query().
		Where(externalidentity.Source(source), externalidentity.ExternalIDHasPrefix(begun), externalidentity.IsEvent(false)).
		Order(externalidentity.ByExternalID()).Limit(offered).All(ctx)
	for _, k := range found {
		if k.RecordID.Kind() == ident.CI {
			keys = append(keys, k.ExternalID)
		}
	}
	return keys, err
}

func (a *answerer) names(ctx context.Context, begun string, areServices bool) (names []string, err error) {
	var all []ciRow
	filter := map[string]any{"name": map[string]any{"startsWith": begun}}
	if begun == "" {
		filter = map[string]any{}
	}
	if areServices {
		var found struct{ Services struct{ Nodes []ciRow } }
		err = a.ask(ctx, &found, `query($filter: ServiceFilter, $first: Int) { services(filter: $filter, first: $first) { nodes { id name } } }`, map[string]any{"filter": filter, "first": pageSize})
		all = found.Services.Nodes
	} else {
		all, err = a.named(ctx, filter, offered)
	}
	for _, one := range all {
		if strings.HasPrefix(one.Name, begun) {
			names = append(names, one.Name)
		}
	}
	return names, err
}

// keys returns none: a server does not list them by how they begin.
func (a *answerer) keys(context.Context, string, string) ([]string, error) { return nil, nil }
