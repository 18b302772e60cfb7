package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/ent/servicetier"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// failureStates are the states that a CI is supposed to fail in, the usual one first.
var failureStates = []string{impact.Down.String(), impact.Degraded.String()}

// factNames are the facts that a question takes into account, the usual ones first.
var factNames = []string{string(read.FactsNow), string(read.NoFacts)}

// factsFlag chooses the facts that hold beside a question.
func factsFlag(cmd *cobra.Command, facts *string) {
	cmd.Flags().StringVar(facts, "facts", factNames[0], "what holds beside: NOW, the open incidents and the changes being carried out, or NONE")
	completeFlag(cmd, "facts", cobra.FixedCompletions(factNames, cobra.ShellCompDirectiveNoFileComp))
}

// checkFacts reads the flag, whatever its case.
func checkFacts(facts string) (read.Facts, error) {
	facts = strings.ToUpper(facts)
	return read.Facts(facts), checkCodes("--facts", []string{facts}, factNames)
}

// filterFlags choose which CIs an answer shows.
type filterFlags struct{ classes, environments []string }

func (f *filterFlags) define(cmd *cobra.Command, env *environment) {
	cmd.Flags().StringSliceVar(&f.classes, "class", nil, "show only CIs of these classes, by code; a class means its subtree")
	cmd.Flags().StringSliceVar(&f.environments, "environment", nil, "show only CIs of these environments, such as PRODUCTION")
	completeFlag(cmd, "class", completeCodes(env, classCodes))
	completeFlag(cmd, "environment", cobra.FixedCompletions(domain.Production.Values(), cobra.ShellCompDirectiveNoFileComp))
}

// check returns an error if an environment does not exist.
func (f *filterFlags) check() error {
	for i, name := range f.environments {
		known := strings.ToUpper(name)
		if !slices.Contains(domain.Production.Values(), known) {
			return checkCodes("--environment", []string{name}, domain.Production.Values()) // as it was typed
		}
		f.environments[i] = known
	}
	return nil
}

// read makes a filter of the flags. It returns a usage error if a class does not exist in the database.
func (f *filterFlags) read(cmd *cobra.Command, a *app.App) (*read.ImpactFilter, error) {
	if err := checkStored(cmd.Context(), cmd, "--class", f.classes, a.Store, classCodes); err != nil {
		return nil, err
	}
	filter := &read.ImpactFilter{}
	if f.classes != nil {
		filter.Class = &read.CodeFilter{In: f.classes}
	}
	if f.environments != nil {
		filter.Environment = &read.EnvironmentFilter{}
	}
	for _, name := range f.environments {
		filter.Environment.In = append(filter.Environment.In, domain.Environment(name))
	}
	return filter, nil
}

func classCodes(ctx context.Context, s *store.Store) ([]string, error) {
	return s.Read.CIClass.Query().Order(ciclass.ByCode()).Select(ciclass.FieldCode).Strings(ctx)
}

func tierCodes(ctx context.Context, s *store.Store) ([]string, error) {
	return s.Read.ServiceTier.Query().Order(servicetier.ByRank()).Select(servicetier.FieldCode).Strings(ctx)
}

// checkStored returns a usage error if a code is not among those of the database.
func checkStored(ctx context.Context, cmd *cobra.Command, flag string, given []string, s *store.Store, codes func(context.Context, *store.Store) ([]string, error)) error {
	if len(given) == 0 {
		return nil
	}
	known, err := codes(ctx, s)
	if err != nil {
		return err
	}
	if err := checkCodes(flag, given, known); err != nil {
		return usageError{cmd, err}
	}
	return nil
}

// checkCodes returns an error if a code is not among those that there are. It names the nearest and lists them all.
func checkCodes(flag string, given, known []string) error {
	for _, code := range given {
		if slices.Contains(known, code) {
			continue
		}
		hint := ""
		if near := nearest(code, known, 1); len(near) > 0 {
			hint = fmt.Sprintf(" (did you mean %s?)", near[0])
		}
		return fmt.Errorf("%s %q does not exist%s; there are %s", flag, code, hint, strings.Join(known, ", "))
	}
	return nil
}

// nearest returns up to most of the names that a word may have been meant to be, the likeliest first.
func nearest(word string, names []string, most int) []string {
	word = strings.ToLower(word)
	distance := func(name string) int { return levenshtein.ComputeDistance(word, strings.ToLower(name)) }
	near := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return distance(name) > max(1, len(word)/3) && (len(word) < 3 || !strings.Contains(strings.ToLower(name), word))
	})
	slices.SortStableFunc(near, func(a, b string) int { return distance(a) - distance(b) })
	return near[:min(most, len(near))]
}
