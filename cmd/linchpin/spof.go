package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
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
			supposed := &read.Overlay{}
			return withApp(cmd, env, func(ctx context.Context, a *app.App) error {
				chosen, err := filter.read(cmd, a)
				if err != nil {
					return err
				}
				if err := checkStored(ctx, cmd, "--tier", tiers, a.Store, tierCodes); err != nil {
					return err
				}
				ask := func(p page.Args) (*read.SinglePointConnection, error) {
					return a.Reader.SinglePointsOfFailure(ctx, tiers, supposed, held, chosen, p)
				}
				if len(args) > 0 {
					id, err := findCI(ctx, a, args[0])
					if err != nil {
						return err
					}
					service, err := a.Reader.CI(ctx, id)
					if err != nil {
						return err
					}
					if service == nil {
						return fmt.Errorf("there is no CI %s", args[0])
					}
					ask = func(p page.Args) (*read.SinglePointConnection, error) {
						return service.SinglePointsOfFailure(ctx, supposed, held, chosen, p.First, p.After, nil, nil)
					}
				}
				found, counts, err := singlePointRows(ctx, ask, rows)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(env, struct {
						Total   int              `json:"total"`
						LeftOut int              `json:"leftOutCount"`
						Points  []singlePointRow `json:"singlePointsOfFailure"`
					}{counts.total, counts.leftOut, found})
				}
				return printSinglePoints(env, found, counts)
			})
		},
	}
	cmd.Flags().StringSliceVar(&tiers, "tier", nil, "only services of these tiers, by code")
	completeFlag(cmd, "tier", completeCodes(env, tierCodes))
	factsFlag(cmd, &facts)
	filter.define(cmd, env)
	rowFlags(cmd, &rows, &asJSON)
	return cmd
}

// singlePointRow is one line of the answer.
type singlePointRow struct {
	ID       ident.ID `json:"id"`
	Name     string   `json:"name"`
	Class    string   `json:"class"`
	Targets  int      `json:"targetsDown"`
	Services int      `json:"servicesDown"`
	CIs      int      `json:"cisDown"`
}

// pointCounts are how many points there are, and how many services that are DOWN already and have none.
type pointCounts struct{ total, leftOut int }

func singlePointRows(ctx context.Context, ask func(page.Args) (*read.SinglePointConnection, error), most int) (all []singlePointRow, n pointCounts, err error) {
	all = []singlePointRow{}
	for after := (*string)(nil); ; {
		size := page.Max
		if most > 0 {
			size = min(size, most-len(all))
		}
		found, err := ask(page.Args{First: &size, After: after})
		if err != nil {
			return nil, n, err
		}
		n.leftOut = found.LeftOutCount
		if n.total, err = found.TotalCount(ctx); err != nil {
			return nil, n, err
		}
		for _, p := range found.Nodes() {
			class, err := p.Ci.Class(ctx)
			if err != nil {
				return nil, n, err
			}
			all = append(all, singlePointRow{p.Ci.ID, p.Ci.Name, class.Code, p.TargetsDownCount(), p.ServicesDownCount(), p.CisDownCount()})
		}
		if after = found.PageInfo.EndCursor(); !found.PageInfo.HasNextPage || len(all) == most {
			return all, n, nil
		}
	}
}

func printSinglePoints(env *environment, rows []singlePointRow, n pointCounts) error {
	_, _ = fmt.Fprintf(env.stdout, "%d single points of failure.\n", n.total)
	if n.leftOut > 0 {
		_, _ = fmt.Fprintf(env.stdout, "%d of the services asked about are DOWN already.\n", n.leftOut)
	}
	if len(rows) == 0 {
		return nil
	}
	t := table{header: []string{"NAME", "CLASS", "TARGETS DOWN", "SERVICES DOWN", "CIS DOWN"}}
	for _, r := range rows {
		t.add(r.Name, r.Class, strconv.Itoa(r.Targets), strconv.Itoa(r.Services), strconv.Itoa(r.CIs))
	}
	t.write(env.stdout, env.screen())
	if more := n.total - len(rows); more > 0 {
		_, _ = fmt.Fprintf(env.stdout, "… and %d more (--rows 0 shows all)\n", more)
	}
	return nil
}
