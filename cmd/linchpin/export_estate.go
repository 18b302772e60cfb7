package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/estate"
	"github.com/linchpin-cmdb/linchpin/internal/importer/ndjson"
)

const exportedWhole = `Exported are the CIs that you may see, retired ones too, with their relationships,
groups, owners and keys, and the teams and people: all of them, or with --filter,
--class or --environment those of the chosen CIs. A relationship of which one end
is not exported is left out. History, tickets, and who set which field are not in
it: linchpin backup keeps those.`

func exportEstateCommand(env *environment) *cobra.Command {
	var chosen exportFlags
	var source string
	cmd := &cobra.Command{
		Use:   "estate",
		Short: "Write CIs, teams and people as an estate file, which import estate reads",
		Long: `Write an estate file, which linchpin import estate reads. An estate that is exported,
imported into an empty database and exported again is the same file.

` + exportedWhole,
		Example: "  linchpin export estate > estate.yaml\n  linchpin export estate --class service --server https://cmdb.example.org",
		Args:    argsOf(cobra.NoArgs),
		RunE: chosen.run(env, func(ctx context.Context, a *answerer, filter map[string]any) error {
			found, err := readExport(ctx, a, env, source, filter)
			if err != nil {
				return err
			}
			if spaces := found.spaces(); len(spaces) > 0 {
				_, _ = fmt.Fprintf(env.stdout, "# Before it is imported: linchpin source set %s --trust %s\n", source, strings.Join(spaces, ","))
			}
			return estate.Write(env.stdout, found.Estate)
		}),
	}
	cmd.Flags().StringVar(&source, "source", "estate", "the source by whose keys the records are called")
	chosen.define(cmd, env)
	return cmd
}

func exportNDJSONCommand(env *environment) *cobra.Command {
	var chosen exportFlags
	var source string
	cmd := &cobra.Command{
		Use:   "ndjson",
		Short: "Write CIs, teams and people as lines of JSON, which import ndjson reads",
		Long: `Write lines of JSON, as programs push them. Classes of your own are not among them:
export estate has those.

` + exportedWhole,
		Example: "  linchpin export ndjson > rows.ndjson\n  linchpin import ndjson --source estate rows.ndjson",
		Args:    argsOf(cobra.NoArgs),
		RunE: chosen.run(env, func(ctx context.Context, a *answerer, filter map[string]any) error {
			found, err := readExport(ctx, a, env, source, filter)
			if err != nil {
				return err
			}
			return found.lines(env, filter == nil)
		}),
	}
	cmd.Flags().StringVar(&source, "source", "estate", "the source by whose keys the records are called")
	chosen.define(cmd, env)
	return cmd
}

// exported is what an export holds.
type exported struct{ estate.Estate }

// spaces returns the spaces, beside the source's own, of which CIs have keys.
func (e exported) spaces() (all []string) {
	for _, c := range e.CIs {
		for _, k := range c.Keys {
			if !slices.Contains(all, k.Space) {
				all = append(all, k.Space)
			}
		}
	}
	slices.Sort(all)
	return all
}

// lines writes the records as lines of JSON.
func (e exported) lines(env *environment, isWhole bool) error {
	run := ndjson.Run{Kind: domain.PartialRun}
	if isWhole {
		run.Kind = domain.FullRun
	}
	w, err := ndjson.NewWriter(env.stdout, run)
	if err != nil {
		return err
	}
	for i := range e.Teams {
		if err := w.Row(importer.Row{Team: &e.Teams[i]}); err != nil {
			return err
		}
	}
	for i := range e.People {
		if err := w.Row(importer.Row{Person: &e.People[i]}); err != nil {
			return err
		}
	}
	for i := range e.CIs {
		if err := w.Row(importer.Row{CI: &e.CIs[i]}); err != nil {
			return err
		}
	}
	return w.End()
}

// sorted sorts records by their keys.
func sorted[T any](all []T, key func(*T) string) []T {
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(key(&a), key(&b)) })
	return all
}
