package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
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
		Long:    "Say what breaks if these CIs fail together. A CI is named by its id (ci_1z), its name, or its key in another system (SOURCE:KEY).",
		Example: "  linchpin impact orders-db-primary\n  linchpin impact demo:ups-rtm-a ci_33 --json",
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
			return withApp(cmd, env, func(ctx context.Context, a *app.App) error {
				chosen, err := filter.read(cmd, a)
				if err != nil {
					return err
				}
				var failed []*read.Failure
				for _, name := range args {
					id, err := findCI(ctx, a, name)
					if err != nil {
						return err
					}
					failed = append(failed, &read.Failure{ID: id, State: strings.ToUpper(state)})
				}
				answer, err := a.Reader.Impact(ctx, failed, nil, nil, nil, chosen, held, moment)
				if err != nil {
					return err
				}
				affected, err := affectedRows(ctx, answer, rows)
				if err != nil {
					return err
				}
				leftOut, err := answer.Counts().LeftOutCount(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(env, struct {
						Revision  int64         `json:"revision"`
						IsPartial bool          `json:"isPartial"`
						Count     int           `json:"affectedCount"`
						Out       int           `json:"filteredOutCount"`
						LeftOut   int           `json:"leftOutCount"`
						Affected  []affectedRow `json:"affected"`
					}{answer.Revision(), answer.Completeness().IsPartial, answer.Counts().AffectedCount, answer.Counts().FilteredOutCount, leftOut, affected})
				}
				return printImpact(env, answer, leftOut, affected)
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", failureStates[0], "how they fail: DOWN or DEGRADED")
	completeFlag(cmd, "state", cobra.FixedCompletions(failureStates, cobra.ShellCompDirectiveNoFileComp))
	filter.define(cmd, env)
	factsFlag(cmd, &facts)
	cmd.Flags().StringVar(&asOf, "as-of", "", "a moment of the past: a revision, or a time such as 2027-01-10T22:00:00Z")
	rowFlags(cmd, &rows, &asJSON)
	return cmd
}

// parseAsOf reads a moment of the past; nil for none.
func parseAsOf(text string) (*read.AsOf, error) {
	if text == "" {
		return nil, nil
	}
	if revision, err := strconv.ParseInt(text, 10, 64); err == nil {
		return &read.AsOf{Revision: &revision}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, fmt.Errorf("--as-of %q is neither a revision, such as 42, nor a time, such as 2027-01-10T22:00:00Z", text)
	}
	return &read.AsOf{At: &at}, nil
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

// withApp opens the product for one question. It neither makes nor changes a database.
func withApp(cmd *cobra.Command, env *environment, ask func(context.Context, *app.App) error) error {
	address, err := env.address()
	if err != nil {
		return err
	}
	a, err := app.OpenReading(cmd.Context(), address, newLog(env))
	if err != nil {
		return err
	}
	return errors.Join(ask(auth.With(cmd.Context(), auth.System), a), a.Close()) // an operator who has the database sees it all
}

// affectedRow is one line of the answer.
type affectedRow struct {
	ID       ident.ID `json:"id"`
	Name     string   `json:"name"`
	Class    string   `json:"class"`
	State    string   `json:"state"`
	Distance int      `json:"distance"`
	Owner    string   `json:"owner,omitempty"`
	Reason   string   `json:"reason"`
}

// affectedRows reads the answer page by page; most 0 reads all.
func affectedRows(ctx context.Context, answer *read.Impact, most int) ([]affectedRow, error) {
	all := []affectedRow{}
	for after := (*string)(nil); ; {
		size := page.Max
		if most > 0 {
			size = min(size, most-len(all))
		}
		found, err := answer.Affected(ctx, nil, nil, &size, after, nil, nil)
		if err != nil {
			return nil, err
		}
		for _, hit := range found.Nodes() {
			row := affectedRow{ID: hit.Ci().ID, Name: hit.Ci().Name, State: hit.State(), Distance: hit.Distance()}
			if err := describe(ctx, hit, &row); err != nil {
				return nil, err
			}
			all = append(all, row)
		}
		if after = found.PageInfo.EndCursor(); !found.PageInfo.HasNextPage || len(all) == most {
			return all, nil
		}
	}
}

func describe(ctx context.Context, hit *read.AffectedCI, row *affectedRow) error {
	class, err := hit.Ci().Class(ctx)
	if err != nil {
		return err
	}
	row.Class = class.Code
	if owner, err := hit.Ci().Owner(ctx); err != nil {
		return err
	} else if owner != nil {
		if row.Owner, err = owner.Name(ctx); err != nil {
			return err
		}
	}
	proof, err := hit.Proof()
	if err != nil {
		return err
	}
	row.Reason, err = proof.Summary(ctx)
	return err
}

func printImpact(env *environment, answer *read.Impact, leftOut int, rows []affectedRow) error {
	counts := answer.Counts()
	_, _ = fmt.Fprintf(env.stdout, "%s affected: %d DOWN, %d DEGRADED; %s. %d more lost redundancy.\n",
		form.Plural(counts.AffectedCount, "CI"), counts.DownCount, counts.DegradedCount, form.Plural(counts.ServiceCount, "service"), counts.AtRiskCount)
	if n := counts.FilteredOutCount; n > 0 {
		_, _ = fmt.Fprintf(env.stdout, "Filtered out: %s more.\n", form.Plural(n, "affected CI"))
	}
	if leftOut > 0 {
		_, _ = fmt.Fprintf(env.stdout, "DOWN already: %s more.\n", form.Plural(leftOut, "CI"))
	}
	if len(rows) == 0 {
		return nil
	}
	t := table{header: []string{"STATE", "HOPS", "NAME", "CLASS", "OWNER", "WHY"}, isSentence: true}
	for _, r := range rows {
		t.add(r.State, strconv.Itoa(r.Distance), r.Name, r.Class, r.Owner, r.Reason)
	}
	t.write(env.stdout, env.screen())
	if more := counts.AffectedCount - len(rows); more > 0 {
		_, _ = fmt.Fprintf(env.stdout, "… and %d more (--rows 0 shows all)\n", more)
	}
	return nil
}

func writeJSON(env *environment, v any) error {
	e := json.NewEncoder(env.stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
