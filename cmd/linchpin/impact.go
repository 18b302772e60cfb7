package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Rows that the tables show unless told otherwise.
const defaultRows = 20

func impactCommand(env *environment) *cobra.Command {
	var state, asOf string
	var filter filterFlags
	var rows int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "impact CI…",
		Short:   "Say what breaks if these CIs fail together",
		Long:    "Say what breaks if these CIs fail together. A CI is named by its id (ci_1z), its name, or its key in another system (SOURCE:KEY).",
		Example: "  linchpin impact orders-db-primary\n  linchpin impact demo:ups-rtm-a ci_33 --json",
		Args:    argsOf(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			moment, err := parseAsOf(asOf)
			if err != nil {
				return usageError{cmd, err}
			}
			return withApp(cmd, env, func(ctx context.Context, a *app.App) error {
				var failed []*read.Failure
				for _, name := range args {
					id, err := findCI(ctx, a, name)
					if err != nil {
						return err
					}
					failed = append(failed, &read.Failure{ID: id, State: strings.ToUpper(state)})
				}
				chosen, err := filter.read()
				if err != nil {
					return usageError{cmd, err}
				}
				answer, err := a.Reader.Impact(ctx, failed, nil, nil, nil, chosen, moment)
				if err != nil {
					return err
				}
				affected, err := affectedRows(ctx, answer, rows)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(env, struct {
						Revision  int64         `json:"revision"`
						IsPartial bool          `json:"isPartial"`
						Count     int           `json:"affectedCount"`
						Out       int           `json:"filteredOutCount"`
						Affected  []affectedRow `json:"affected"`
					}{answer.Revision(), answer.Completeness().IsPartial, answer.Counts().AffectedCount, answer.Counts().FilteredOutCount, affected})
				}
				return printImpact(env, answer, affected)
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "DOWN", "how they fail: DOWN or DEGRADED")
	filter.define(cmd)
	cmd.Flags().StringVar(&asOf, "as-of", "", "a moment of the past: a revision, or a time such as 2027-01-10T22:00:00Z")
	rowFlags(cmd, &rows, &asJSON)
	return cmd
}

// filterFlags choose which CIs an answer shows.
type filterFlags struct{ classes, environments []string }

func (f *filterFlags) define(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.classes, "class", nil, "show only CIs of these classes, by code; a class means its subtree")
	cmd.Flags().StringSliceVar(&f.environments, "environment", nil, "show only CIs of these environments, such as PRODUCTION")
}

func (f *filterFlags) read() (*read.ImpactFilter, error) {
	filter := &read.ImpactFilter{}
	if f.classes != nil {
		filter.Class = &read.CodeFilter{In: f.classes}
	}
	if f.environments != nil {
		filter.Environment = &read.EnvironmentFilter{}
	}
	for _, name := range f.environments {
		e := domain.Environment(strings.ToUpper(name))
		if !slices.Contains(e.Values(), string(e)) {
			return nil, fmt.Errorf("there is no environment %q: give one of %s", name, strings.Join(e.Values(), ", "))
		}
		filter.Environment.In = append(filter.Environment.In, e)
	}
	return filter, nil
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

func rowFlags(cmd *cobra.Command, rows *int, asJSON *bool) {
	cmd.Flags().IntVar(rows, "rows", defaultRows, "how many rows to show; 0 for all")
	cmd.Flags().BoolVar(asJSON, "json", false, "print JSON")
}

// withApp opens the product for one question.
func withApp(cmd *cobra.Command, env *environment, ask func(context.Context, *app.App) error) error {
	address, err := env.address()
	if err != nil {
		return err
	}
	a, err := app.Open(cmd.Context(), address, newLog(env))
	if err != nil {
		return err
	}
	return errors.Join(ask(auth.With(cmd.Context(), auth.System), a), a.Close()) // whoever has the database sees it all
}

// findCI is the CI that a person means.
func findCI(ctx context.Context, a *app.App, name string) (ident.ID, error) {
	if id, err := ident.Parse(name); err == nil {
		return id, nil
	}
	if source, key, is := strings.Cut(name, ":"); is {
		rows, err := a.Store.Read.ExternalIdentity.Query().Where(externalidentity.Source(source), externalidentity.ExternalID(key)).All(ctx)
		if err != nil {
			return 0, err
		}
		if len(rows) > 0 {
			return rows[0].RecordID, nil
		}
	}
	rows, err := a.Store.Read.CI.Query().Where(ci.Name(name)).Limit(3).All(ctx)
	switch {
	case err != nil:
		return 0, err
	case len(rows) == 0:
		return 0, fmt.Errorf("there is no CI %q: give an id, an exact name, or SOURCE:KEY", name)
	case len(rows) > 1:
		return 0, fmt.Errorf("%q is the name of several CIs: give an id, such as %v or %v", name, rows[0].ID, rows[1].ID)
	}
	return rows[0].ID, nil
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

func printImpact(env *environment, answer *read.Impact, rows []affectedRow) error {
	counts := answer.Counts()
	_, _ = fmt.Fprintf(env.stdout, "%d CIs affected: %d DOWN, %d DEGRADED; %d services. %d more lost redundancy.\n",
		counts.AffectedCount, counts.DownCount, counts.DegradedCount, counts.ServiceCount, counts.AtRiskCount)
	if counts.FilteredOutCount > 0 {
		_, _ = fmt.Fprintf(env.stdout, "%d more CIs affected are filtered out.\n", counts.FilteredOutCount)
	}
	if len(rows) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "STATE\tHOPS\tNAME\tCLASS\tOWNER\tWHY")
	for _, r := range rows {
		_, _ = fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\n", r.State, r.Distance, r.Name, r.Class, r.Owner, r.Reason)
	}
	if err := table.Flush(); err != nil {
		return err
	}
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
