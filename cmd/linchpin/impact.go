package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
)

// Rows that the tables show unless told otherwise.
const defaultRows = 20

func impactCommand(env *environment) *cobra.Command {
	var state, asOf, facts string
	var filter filterFlags
	var rows int
	var asJSON bool
	cmd := &cobra.Command{
		ValidArgsFunction: completeCIs(env),

		Use:     "impact CI…",
		Short:   "Say what breaks if these CIs fail together",
		Long:    "Say what breaks if these CIs fail together. A CI is named by its id (ci_1z), its name, or its key in another system (SOURCE:KEY). It is asked of a database or, with --server, of a server, of what you may see there.",
		Example: "  linchpin impact orders-db-primary\n  linchpin impact demo:ups-rtm-a ci_33 --json\n  linchpin impact orders-db-primary --server https://cmdb.example.org",
		Args:    argsOf(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			moment, err := parseAsOf(asOf)
			held, wrong := checkFacts(facts)
			if err == nil {
				err = cmp.Or(wrong, checkCodes("--state", []string{strings.ToUpper(state)}, failureStates), filter.check(), checkRows(rows))
			}
			if err != nil {
				return usageError{cmd, err}
			}
			return withAnswerer(cmd, env, func(ctx context.Context, a *answerer) error {
				q := impactQuestion{facts: held, asOf: moment}
				if q.filter, err = filter.chosen(ctx, cmd, a); err != nil {
					return err
				}
				for _, name := range args {
					id, err := a.find(ctx, name)
					if err != nil {
						return err
					}
					q.failed = append(q.failed, map[string]any{"id": id, "state": strings.ToUpper(state)})
				}
				answer, err := a.impact(ctx, q, rows)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(env, answer)
				}
				return printImpact(env, answer)
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", failureStates[0], "how they fail: DOWN or DEGRADED")
	completeFlag(cmd, "state", cobra.FixedCompletions(failureStates, cobra.ShellCompDirectiveNoFileComp))
	filter.define(cmd, env)
	serverFlag(cmd, env)
	factsFlag(cmd, &facts)
	cmd.Flags().StringVar(&asOf, "as-of", "", "a moment of the past: a revision, or a time such as 2027-01-10T22:00:00Z")
	rowFlags(cmd, &rows, &asJSON)
	return cmd
}

// parseAsOf reads a moment of the past; nil for none.
func parseAsOf(text string) (map[string]any, error) {
	if text == "" {
		return nil, nil
	}
	if revision, err := strconv.ParseInt(text, 10, 64); err == nil {
		return map[string]any{"revision": revision}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, fmt.Errorf("--as-of %q is neither a revision, such as 42, nor a time, such as 2027-01-10T22:00:00Z", text)
	}
	return map[string]any{"at": at}, nil
}

func checkRows(rows int) error {
	if rows < 0 {
		return fmt.Errorf("--rows is %d: a number of rows, or 0 for all", rows)
	}
	return nil
}

func rowFlags(cmd *cobra.Command, rows *int, asJSON *bool) {
	cmd.Flags().IntVar(rows, "rows", defaultRows, "how many rows to show; 0 for all")
	cmd.Flags().BoolVar(asJSON, "json", false, "print JSON")
}

// affectedRow is one line of the answer.
type affectedRow struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Class    string `json:"class"`
	State    string `json:"state"`
	Distance int    `json:"distance"`
	Owner    string `json:"owner,omitempty"`
	Reason   string `json:"reason"`
}

// impactQuestion is what is supposed to fail, and what of the answer to show.
type impactQuestion struct {
	failed []any
	filter map[string]any
	facts  string
	asOf   map[string]any // nil: now
}

// impactReport is the answer, as it is printed as JSON.
type impactReport struct {
	Revision  int64         `json:"revision"`
	IsPartial bool          `json:"isPartial"`
	Count     int           `json:"affectedCount"`
	Out       int           `json:"filteredOutCount"`
	LeftOut   int           `json:"leftOutCount"`
	Hidden    int           `json:"restrictedCount,omitempty"`
	Affected  []affectedRow `json:"affected"`

	down, degraded, services, atRisk int
	listed                           int // CIs that there are to list
}

const askImpact = `query($failed: [FailureInput!]!, $filter: ImpactFilter, $facts: Facts!, $asOf: AsOfInput, $first: Int, $after: String) {
	impact(failed: $failed, filter: $filter, facts: $facts, asOf: $asOf) {
		revision completeness { isPartial }
		counts { affectedCount downCount degradedCount serviceCount atRiskCount leftOutCount filteredOutCount restrictedCount }
		affected(first: $first, after: $after) {
			totalCount pageInfo { hasNextPage endCursor }
			nodes { state distance ci { id name class { code } owner { name } } proof { summary } }
		}
	}
}`

// impactAnswered is a page of the answer.
type impactAnswered struct {
	Revision     int64
	Completeness struct{ IsPartial bool }
	Counts       struct {
		AffectedCount, DownCount, DegradedCount, ServiceCount, AtRiskCount, LeftOutCount, FilteredOutCount, RestrictedCount int
	}
	Affected struct {
		TotalCount int
		PageInfo   pageInfo
		Nodes      []struct {
			State    string
			Distance int
			CI       struct {
				ID, Name string
				Class    struct{ Code string }
				Owner    *struct{ Name string }
			}
			Proof *struct{ Summary string }
		}
	}
}

// impact reads the answer page by page; most 0 reads all. If the graph changes between two pages, it begins anew, and
// asks about the graph as it was.
func (a *answerer) impact(ctx context.Context, q impactQuestion, most int) (r impactReport, err error) {
	r.Affected = []affectedRow{}
	for after := (*string)(nil); ; {
		size := pageSize
		if most > 0 {
			size = min(size, most-len(r.Affected))
		}
		var found struct{ Impact impactAnswered }
		if err := a.ask(ctx, &found, askImpact, map[string]any{"failed": q.failed, "filter": q.filter, "facts": q.facts, "asOf": q.asOf, "first": size, "after": after}); err != nil {
			return r, err
		}
		i := found.Impact
		if after != nil && i.Revision != r.Revision && q.asOf == nil {
			q.asOf = map[string]any{"revision": r.Revision}
			return a.impact(ctx, q, most)
		}
		n := i.Counts
		r.Revision, r.IsPartial, r.Count, r.Out, r.LeftOut, r.Hidden = i.Revision, i.Completeness.IsPartial, n.AffectedCount, n.FilteredOutCount, n.LeftOutCount, n.RestrictedCount
		r.down, r.degraded, r.services, r.atRisk, r.listed = n.DownCount, n.DegradedCount, n.ServiceCount, n.AtRiskCount, i.Affected.TotalCount
		for _, hit := range i.Affected.Nodes {
			row := affectedRow{ID: hit.CI.ID, Name: hit.CI.Name, Class: hit.CI.Class.Code, State: hit.State, Distance: hit.Distance}
			if hit.CI.Owner != nil {
				row.Owner = hit.CI.Owner.Name
			}
			if hit.Proof != nil {
				row.Reason = hit.Proof.Summary
			}
			r.Affected = append(r.Affected, row)
		}
		if after = i.Affected.PageInfo.EndCursor; !i.Affected.PageInfo.HasNextPage || len(r.Affected) == most {
			return r, nil
		}
	}
}

func printImpact(env *environment, r impactReport) error {
	_, _ = fmt.Fprintf(env.stdout, "%s affected: %d DOWN, %d DEGRADED; %s. %d more lost redundancy.\n",
		form.Plural(r.Count, "CI"), r.down, r.degraded, form.Plural(r.services, "service"), r.atRisk)
	if r.Out > 0 {
		_, _ = fmt.Fprintf(env.stdout, "Filtered out: %s more.\n", form.Plural(r.Out, "affected CI"))
	}
	if r.LeftOut > 0 {
		_, _ = fmt.Fprintf(env.stdout, "DOWN already: %s more.\n", form.Plural(r.LeftOut, "CI"))
	}
	if r.Hidden > 0 {
		_, _ = fmt.Fprintf(env.stdout, "Counted and not shown: %s that you may not see.\n", form.Plural(r.Hidden, "CI"))
	}
	if len(r.Affected) == 0 {
		return nil
	}
	t := table{header: []string{"STATE", "HOPS", "NAME", "CLASS", "OWNER", "WHY"}, isSentence: true}
	for _, row := range r.Affected {
		t.add(row.State, strconv.Itoa(row.Distance), row.Name, row.Class, row.Owner, row.Reason)
	}
	t.write(env.stdout, env.screen())
	if more := r.listed - len(r.Affected); more > 0 {
		_, _ = fmt.Fprintf(env.stdout, "… and %d more (--rows 0 shows all)\n", more)
	}
	return nil
}

func writeJSON(env *environment, v any) error {
	e := json.NewEncoder(env.stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
