package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// runNumber reads the number of a run.
func runNumber(word string) (int64, error) {
	id, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no run: linchpin run list shows their numbers", word)
	}
	return id, nil
}

func applyRun(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "apply RUN", Short: "Apply a run that is planned, or that failed and has kept what it read",
		Long: `Apply a run that is planned (linchpin import --keep-plan), was approved, or failed
and has kept what it read. That is compared with the database as it is now, and
what is other than it was planned is counted.`,
		Args: argsOf(cobra.ExactArgs(1)),
		RunE: onStore(env, func(ctx context.Context, s *store.Store, words []string) error {
			id, err := runNumber(words[0])
			if err != nil {
				return err
			}
			plan, result, err := importer.ApplyRun(ctx, s, id, progressBar(env))
			if err != nil {
				return err
			}
			if err := printSummary(env, plan, result, importOptions{}); err != nil {
				return err
			}
			if result.Otherwise > 0 {
				_, _ = fmt.Fprintf(env.stdout, "%d rows are others than were planned: linchpin run show %d.\n", result.Otherwise, id)
			}
			if result.Refused != "" || len(result.Conflicts) > 0 {
				return exitCode(exitProblems)
			}
			return nil
		}),
	}
}

func approveRun(env *environment) *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use: "approve RUN --retire-up-to N", Short: "Let a run pass that was refused because too much is gone; apply it then",
		Example: "  linchpin run approve 12 --retire-up-to 40\n  linchpin run apply 12",
		Args:    argsOf(cobra.ExactArgs(1)),
		RunE: onStore(env, func(ctx context.Context, s *store.Store, words []string) error {
			id, err := runNumber(words[0])
			if err != nil {
				return err
			}
			return importer.ApproveRun(ctx, s, id, most)
		}),
	}
	cmd.Flags().IntVar(&most, "retire-up-to", 0, "so many records may go missing in it")
	return cmd
}

func discardRun(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "discard RUN", Short: "Give up a run that is planned or was refused; what it has read is forgotten",
		Args: argsOf(cobra.ExactArgs(1)),
		RunE: onStore(env, func(ctx context.Context, s *store.Store, words []string) error {
			id, err := runNumber(words[0])
			if err != nil {
				return err
			}
			return importer.DiscardRun(ctx, s, id)
		}),
	}
}
