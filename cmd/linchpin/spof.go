package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

func spofCommand(env *environment) *cobra.Command {
	var tiers []string
	var filter filterFlags
	var facts string
	var rows int
	var asJSON bool
	cmd := &cobra.Command{
		ValidArgsFunction: completeServices(env),

		Use:   "spof [SERVICE]",
		Short: "List single points of failure",
		Long: `List the CIs whose failure alone takes a service DOWN: this service (by id, name or
SOURCE:KEY), or any service, or any of some tiers. Those that take down most come first.`,
		Example: "  linchpin spof Checkout\n  linchpin spof --tier tier-1 --json",
		Args:    argsOf(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && len(tiers) > 0 {
				return usageError{cmd, fmt.Errorf("give a service or --tier, not both")}
			}
			held, err := checkFacts(facts)
			if err := cmp.Or(err, filter.check(), checkRows(rows)); err != nil {
				return usageError{cmd, err}
			}
			return withAnswerer(cmd, env, func(ctx context.Context, a *answerer) error {
				q := pointQuestion{facts: held, tiers: tiers}
				if q.filter, err = filter.chosen(ctx, cmd, a); err != nil {
					return err
				}
				if len(tiers) > 0 {
					known, err := a.tiers(ctx)
					if err == nil {
						err = usage(cmd, checkCodes("--tier", tiers, known))
					}
					if err != nil {
						return err
					}
				}
				if len(args) > 0 {
					if q.service, err = a.find(ctx, args[0]); err != nil {
						return err
					}
				}
				answer, err := a.singlePoints(ctx, q, rows)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(env, answer)
				}
				return printSinglePoints(env, answer)
			})
		},
	}
	cmd.Flags().StringSliceVar(&tiers, "tier", nil, "only services of these tiers, by code")
	completeFlag(cmd, "tier", completeCodes(env, vocabulary.tiers))
	serverFlag(cmd, env)
	factsFlag(cmd, &facts)
	filter.define(cmd, env)
	rowFlags(cmd, &rows, &asJSON)
	return cmd
}

// singlePointRow is one line of the answer.
type singlePointRow struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Class    string `json:"class"`
	Targets  int    `json:"targetsDown"`
	Services int    `json:"servicesDown"`
	CIs      int    `json:"cisDown"`
}

// pointQuestion is whose single points of failure are asked for: those of one service, or of the services of tiers, or
// of all.
type pointQuestion struct {
	service string // its id; "": none
	tiers   []string
	filter  map[string]any
	facts   string
}

// pointReport is the answer, as it is printed as JSON.
type pointReport struct {
	Total   int              `json:"total"`
	LeftOut int              `json:"leftOutCount"`
	Hidden  int              `json:"restrictedCount,omitempty"`
	Points  []singlePointRow `json:"singlePointsOfFailure"`
}

const (
	pointFields = `{
		totalCount leftOutCount restrictedCount pageInfo { hasNextPage endCursor }
		nodes { targetsDownCount servicesDownCount cisDownCount ci { id name class { code } } }
	}`
	askPoints = `query($tiers: [String!], $filter: ImpactFilter, $facts: Facts!, $first: Int, $after: String) {
		points: singlePointsOfFailure(tiers: $tiers, filter: $filter, facts: $facts, first: $first, after: $after) ` + pointFields + `
	}`
	askPointsOf = `query($id: ID!, $filter: ImpactFilter, $facts: Facts!, $first: Int, $after: String) {
		ci(id: $id) { points: singlePointsOfFailure(filter: $filter, facts: $facts, first: $first, after: $after) ` + pointFields + ` }
	}`
)

// points is a page of the answer.
type points struct {
	TotalCount, LeftOutCount, RestrictedCount int
	PageInfo                                  pageInfo
	Nodes                                     []struct {
		TargetsDownCount, ServicesDownCount, CIsDownCount int
		CI                                                struct {
			ID, Name string
			Class    struct{ Code string }
		}
	}
}

// singlePoints reads the answer page by page; most 0 reads all.
func (a *answerer) singlePoints(ctx context.Context, q pointQuestion, most int) (r pointReport, err error) {
	r.Points = []singlePointRow{}
	for after := (*string)(nil); ; {
		size := pageSize
		if most > 0 {
			size = min(size, most-len(r.Points))
		}
		found, err := a.pageOfPoints(ctx, q, size, after)
		if err != nil {
			return r, err
		}
		r.Total, r.LeftOut, r.Hidden = found.TotalCount, found.LeftOutCount, found.RestrictedCount
		for _, p := range found.Nodes {
			r.Points = append(r.Points, singlePointRow{p.CI.ID, p.CI.Name, p.CI.Class.Code, p.TargetsDownCount, p.ServicesDownCount, p.CIsDownCount})
		}
		if after = found.PageInfo.EndCursor; !found.PageInfo.HasNextPage || len(r.Points) == most {
			return r, nil
		}
	}
}

func (a *answerer) pageOfPoints(ctx context.Context, q pointQuestion, size int, after *string) (points, error) {
	variables := map[string]any{"filter": q.filter, "facts": q.facts, "first": size, "after": after}
	if q.service == "" {
		if variables["tiers"] = q.tiers; len(q.tiers) == 0 {
			variables["tiers"] = nil
		}
		var found struct{ Points points }
		err := a.ask(ctx, &found, askPoints, variables)
		return found.Points, err
	}
	variables["id"] = q.service
	var found struct{ CI *struct{ Points points } }
	if err := a.ask(ctx, &found, askPointsOf, variables); err != nil {
		return points{}, err
	}
	if found.CI == nil {
		return points{}, fmt.Errorf("there is no CI %s", q.service)
	}
	return found.CI.Points, nil
}

func printSinglePoints(env *environment, r pointReport) error {
	_, _ = fmt.Fprintf(env.stdout, "%d single points of failure.\n", r.Total)
	if r.LeftOut > 0 {
		_, _ = fmt.Fprintf(env.stdout, "%d of the services asked about are DOWN already.\n", r.LeftOut)
	}
	if r.Hidden > 0 {
		_, _ = fmt.Fprintf(env.stdout, "There are %d more that you may not see.\n", r.Hidden)
	}
	if len(r.Points) == 0 {
		return nil
	}
	t := table{header: []string{"NAME", "CLASS", "TARGETS DOWN", "SERVICES DOWN", "CIS DOWN"}}
	for _, p := range r.Points {
		t.add(p.Name, p.Class, strconv.Itoa(p.Targets), strconv.Itoa(p.Services), strconv.Itoa(p.CIs))
	}
	t.write(env.stdout, env.screen())
	if more := r.Total - len(r.Points); more > 0 {
		_, _ = fmt.Fprintf(env.stdout, "… and %d more (--rows 0 shows all)\n", more)
	}
	return nil
}
