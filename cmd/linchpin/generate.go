package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/fill"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
)

func generateCommand(env *environment) *cobra.Command {
	plan := fill.Plan{CIs: 10_000, Seed: 1}
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Fill an empty database with an invented estate of any size",
		Long: `Fill an empty database with an invented estate, to try Linchpin at the size of your
own, or to measure it: business services, application services, components and
databases, pods and virtual machines, hosts, clusters, racks, network, storage and
power, about five relationships to a CI, redundancy in dependency groups, hubs on
which much depends, owners and tiers. The same seed makes the same estate. With
--year it has a past: the incidents and changes of the last year, at the rates of a
bank's, as they stand today, with service level targets of which some were missed.

Everything is journalled as any other write is. An estate of 10,000 CIs takes
seconds, one of 1,000,000 minutes.`,
		Example: "  linchpin generate --cis 10000 --database sqlite:big.db\n  linchpin serve --dev --database sqlite:big.db",
		Args:    argsOf(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if plan.CIs < synthetic.LeastCIs || plan.CIs > synthetic.MostCIs {
				return usageError{cmd, fmt.Errorf("--cis %d: an estate has %d to %d CIs", plan.CIs, synthetic.LeastCIs, synthetic.MostCIs)}
			}
			return runGenerate(auth.With(cmd.Context(), operator()), env, plan)
		},
	}
	cmd.Flags().IntVar(&plan.CIs, "cis", plan.CIs, "how many CIs")
	cmd.Flags().Uint64Var(&plan.Seed, "seed", plan.Seed, "which estate of that size")
	cmd.Flags().BoolVar(&plan.Year, "year", false, "also the incidents and changes of the last year: 46 and 30 to 100 CIs")
	return cmd
}

func runGenerate(ctx context.Context, env *environment, plan fill.Plan) (err error) {
	address, err := env.address()
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := s.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := cmdb.Seed(ctx, s); err != nil {
		return err
	}
	start := time.Now()
	done, err := fill.Database(ctx, s, plan, generateProgress(env, start))
	if err != nil {
		if done.Records() > 0 {
			return fmt.Errorf("%w; %d records were written until then: go on with another database", err, done.Records())
		}
		return err
	}
	took := time.Since(start)
	tickets := ""
	if plan.Year {
		tickets = fmt.Sprintf(", %d incidents, %d changes", done.Incidents, done.Changes)
	}
	_, _ = fmt.Fprintf(env.stdout, "%d CIs, %d relationships, %d dependency groups, %d teams, %d owners%s in %s: %.0f records a second.\n",
		done.CIs, done.Relationships, done.Groups, done.Teams, done.Owners, tickets, took.Round(100*time.Millisecond), float64(done.Records())/took.Seconds())
	_, _ = fmt.Fprintf(env.stdout, "Look at it: linchpin serve --dev --database %s\n", store.Redact(address))
	return nil
}

// progressEvery is how often something is said where nobody watches.
const progressEvery = 10 * time.Second

// generateProgress shows a bar on a terminal, and elsewhere a line now and then.
func generateProgress(env *environment, start time.Time) func(done, total fill.Count) {
	if !isTerminal(env.stderr) {
		said := start
		return func(done, total fill.Count) {
			if time.Since(said) < progressEvery {
				return
			}
			said = time.Now()
			rate := float64(done.Records()) / time.Since(start).Seconds()
			left := time.Duration(float64(total.Records()-done.Records()) / rate * float64(time.Second))
			_, _ = fmt.Fprintf(env.stderr, "%d of %d records, %.0f a second, %s left\n", done.Records(), total.Records(), rate, left.Round(time.Second))
		}
	}
	var bar *progressbar.ProgressBar
	return func(done, total fill.Count) {
		if bar == nil {
			bar = progressbar.NewOptions(total.Records(), progressbar.OptionSetWriter(env.stderr), progressbar.OptionSetDescription("generate"),
				progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("records"), progressbar.OptionSetPredictTime(true),
				progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true))
		}
		_ = bar.Set(done.Records())
	}
}
