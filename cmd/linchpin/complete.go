package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/ent/predicate"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// offered bounds the names that a shell is given to choose from.
const offered = 200

// completion offers words for what a person has begun to write.
type completion = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// completeFlag makes the shell complete the value of a flag.
func completeFlag(cmd *cobra.Command, flag string, offer completion) {
	if err := cmd.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // the flag is not defined
	}
}

// stored makes a completion of words in the database that the command line names. If it cannot be read, there are none.
func stored(env *environment, words func(ctx context.Context, s *store.Store, begun string) ([]string, error)) completion {
	return func(cmd *cobra.Command, _ []string, begun string) (found []string, directive cobra.ShellCompDirective) {
		directive = cobra.ShellCompDirectiveNoFileComp
		address, err := env.address()
		if err != nil {
			return nil, directive
		}
		s, err := store.OpenReading(cmd.Context(), address)
		if err != nil {
			cobra.CompDebugln(err.Error(), false)
			return nil, directive
		}
		defer func() { _ = s.Close() }()
		if found, err = words(cmd.Context(), s, begun); err != nil {
			cobra.CompDebugln(err.Error(), false)
		}
		return found, directive
	}
}

// completeCodes completes the last of the codes between commas.
func completeCodes(env *environment, codes func(context.Context, *store.Store) ([]string, error)) completion {
	return stored(env, func(ctx context.Context, s *store.Store, begun string) (found []string, err error) {
		all, err := codes(ctx, s)
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
	return stored(env, func(ctx context.Context, s *store.Store, begun string) ([]string, error) {
		found, err := ciNames(ctx, s, ci.NameHasPrefix(begun))
		source, key, ok := strings.Cut(begun, ":")
		if err != nil || !ok {
			return found, err
		}
		keys, err := s.Read.ExternalIdentity.Query().
			Where(externalidentity.Source(source), externalidentity.ExternalIDHasPrefix(key), externalidentity.IsEvent(false)).
			Order(externalidentity.ByExternalID()).Limit(offered).All(ctx)
		for _, k := range keys {
			if k.RecordID.Kind() == ident.CI {
				found = append(found, source+":"+k.ExternalID)
			}
		}
		return found, err
	})
}

// completeServices completes the name of one service.
func completeServices(env *environment) completion {
	offer := stored(env, func(ctx context.Context, s *store.Store, begun string) ([]string, error) {
		return ciNames(ctx, s, ci.NameHasPrefix(begun), ci.ServiceKindNotNil())
	})
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(cmd, args, begun)
	}
}

func ciNames(ctx context.Context, s *store.Store, which ...predicate.CI) ([]string, error) {
	return s.Read.CI.Query().Where(which...).Order(ci.ByName()).Limit(offered).Select(ci.FieldName).Strings(ctx)
}
