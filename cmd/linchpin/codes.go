package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
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
func checkFacts(facts string) (string, error) {
	facts = strings.ToUpper(facts)
	return facts, checkCodes("--facts", []string{facts}, factNames)
}

// filterFlags choose which CIs an answer shows.
type filterFlags struct{ classes, environments []string }

func (f *filterFlags) define(cmd *cobra.Command, env *environment) {
	cmd.Flags().StringSliceVar(&f.classes, "class", nil, "show only CIs of these classes, by code; a class means its subtree")
	cmd.Flags().StringSliceVar(&f.environments, "environment", nil, "show only CIs of these environments, such as PRODUCTION")
	completeFlag(cmd, "class", completeCodes(env, vocabulary.classes))
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

// chosen makes a filter of the flags. It returns a usage error if a class does not exist.
func (f *filterFlags) chosen(ctx context.Context, cmd *cobra.Command, a *answerer) (map[string]any, error) {
	filter := map[string]any{}
	if f.classes != nil {
		known, err := a.classes(ctx)
		if err == nil {
			err = usage(cmd, checkCodes("--class", f.classes, known))
		}
		if err != nil {
			return nil, err
		}
		filter["class"] = map[string]any{"in": f.classes}
	}
	if f.environments != nil {
		filter["environment"] = map[string]any{"in": f.environments}
	}
	return filter, nil
}

// usage makes a mistake one of the command line. Of none, it returns nil.
func usage(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return usageError{cmd, err}
}

// classes lists the codes of all classes.
func (a *answerer) classes(ctx context.Context) (codes []string, err error) {
	for after := (*string)(nil); ; {
		var found struct {
			CIClasses struct {
				Nodes    []struct{ Code string }
				PageInfo pageInfo
			}
		}
		if err := a.ask(ctx, &found, `query($first: Int, $after: String) { ciClasses(first: $first, after: $after) { nodes { code } pageInfo { hasNextPage endCursor } } }`,
			map[string]any{"first": pageSize, "after": after}); err != nil {
			return nil, err
		}
		for _, c := range found.CIClasses.Nodes {
			codes = append(codes, c.Code)
		}
		if after = found.CIClasses.PageInfo.EndCursor; !found.CIClasses.PageInfo.HasNextPage {
			return codes, nil
		}
	}
}

// tiers lists the codes of all tiers, the most important first.
func (a *answerer) tiers(ctx context.Context) (codes []string, err error) {
	var found struct{ ServiceTiers []struct{ Code string } }
	err = a.ask(ctx, &found, `{ serviceTiers { code } }`, nil)
	for _, t := range found.ServiceTiers {
		codes = append(codes, t.Code)
	}
	return codes, err
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
