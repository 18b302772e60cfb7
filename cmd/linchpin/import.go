package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

type importOptions struct {
	dryRun, json, verbose bool
	keepPlan              bool
	source                string // "": as the kind is called
	scope                 string
	full                  bool
	retireUpTo            int
	older                 bool   // states that are older than what was imported
	at                    string // the server; "": the database
}

// plan returns the options of the plan.
func (o importOptions) plan(progress func(importer.Progress)) importer.Options {
	made := importer.Options{Progress: progress, Scope: o.scope, RetireUpTo: o.retireUpTo, TakeOlder: o.older}
	if o.full {
		made.Kind = domain.FullRun
	}
	return made
}

func importCommand(env *environment) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Bring in what another system knows",
		Long: `Bring in what another system knows: first planned, then applied in batches, each
whole or not at all. A second run of the same input changes nothing. What a
person has set is kept; where several sources report a field, the one that is
believed has its way (linchpin source). References to what nobody has reported
are kept too, and heal when it arrives.

Of folders, files with the format's extensions are read, at any depth. Pipes,
sockets and links out of the folder are rejected.

Exit codes: 0 all went in; 1 it could not be done; 2 the command line is wrong;
3 it went in, but for what the summary lists as rejected, duplicate or conflict.`,
		Args: argsOf(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			o.at, err = env.serverAddress(cmd)
			return err
		},
	}
	flags := cmd.PersistentFlags()
	persistentServerFlag(cmd, env)
	flags.BoolVar(&o.dryRun, "dry-run", false, "plan and print the summary, write nothing")
	flags.BoolVar(&o.keepPlan, "keep-plan", false, "keep the plan as a run and write nothing else: linchpin run show, apply, discard")
	flags.BoolVar(&o.json, "json", false, "print the plan as JSON")
	flags.BoolVar(&o.verbose, "verbose", false, "list every problem")
	cmd.AddCommand(importCSVCommand(env, &o), importNetBoxCommand(env, &o), importNDJSONCommand(env, &o), importSQLCommand(env, &o), importPlanCommand(env, &o))
	flags.StringVar(&o.source, "source", "", "name of the source whose keys these are, such as oidc:default for people of the provider (default what is imported, such as estate, or as the mapping says)")
	flags.StringVar(&o.scope, "scope", "", "the part of the source that is read, such as an account or a cluster")
	flags.BoolVar(&o.full, "full", false, "it is all that the scope has: what it lacks is missing from now on")
	flags.IntVar(&o.retireUpTo, "retire-up-to", 0, "let so many records go missing in this run, whatever the source's guard says")
	for _, kind := range app.Sources {
		of := &cobra.Command{
			Use: kind.Name + " PATH…", Short: kind.Short, Example: "  linchpin import " + kind.Name + " " + kind.Example,
			Args: argsOf(somePaths),
			RunE: func(cmd *cobra.Command, args []string) error {
				source, err := kind.Open(args)
				if err != nil {
					return err
				}
				return runImport(auth.With(cmd.Context(), operator()), env, source, o)
			},
		}
		if kind.Name == "terraform" {
			of.Flags().BoolVar(&o.older, "older", false, "take a state although a newer one of its lineage was imported")
		}
		cmd.AddCommand(of)
	}
	return cmd
}

// somePaths wants at least one path.
func somePaths(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say which files or folders to import: %s PATH…", cmd.CommandPath())
	}
	return nil
}

// operator returns the actor of a command.
func operator() auth.Actor { return auth.Command(personName()) }

// personName returns what the system calls the person at the command line.
func personName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

func runImport(ctx context.Context, env *environment, source importer.Source, o importOptions) error {
	if o.source != "" {
		source = importer.Named(source, o.source)
	}
	take := importHere
	if o.at != "" {
		take = importThere
	}
	if o.at != "" && o.keepPlan {
		return errors.New("--keep-plan keeps plans in a database at hand: name it by --database, or look at the plan by --dry-run")
	}
	plan, result, err := take(ctx, env, source, o)
	if err != nil {
		return err
	}
	show := printSummary
	if o.json {
		show = printJSON
	}
	if err := show(env, plan, result, o); err != nil {
		return err
	}
	if result.Refused != "" || len(result.Conflicts) > 0 || plan.Summary.Total(importer.IsRejected)+plan.Summary.Total(importer.IsDuplicate) > 0 {
		return exitCode(exitProblems)
	}
	return nil
}

func printSummary(env *environment, plan *importer.Plan, result importer.Result, o importOptions) error {
	if err := importer.WriteSummary(env.stdout, plan, importer.SummaryOptions{IsVerbose: o.verbose}); err != nil {
		return err
	}
	for _, conflict := range result.Conflicts {
		_, _ = fmt.Fprintf(env.stdout, "conflict: %s\n", conflict.Error())
	}
	refused := cmp.Or(result.Refused, plan.Refused)
	switch {
	case refused != "":
		_, _ = fmt.Fprintf(env.stdout, "Nothing was written: %s%s.\n", refused, howToPass(result))
	case o.keepPlan:
		_, _ = fmt.Fprintf(env.stdout, "It is planned, and nothing was written: linchpin run show %[1]d, apply %[1]d or discard %[1]d.\n", result.Run)
	case o.dryRun:
		_, _ = fmt.Fprintln(env.stdout, "Nothing was written: this was a dry run.")
	case result.Batches == 0:
		_, _ = fmt.Fprintln(env.stdout, "Nothing had to be written.")
	default:
		_, _ = fmt.Fprintf(env.stdout, "Written in %d batches.\n", result.Batches)
	}
	return nil
}

// howToPass says how a plan that was refused passes.
func howToPass(result importer.Result) string {
	if result.Run == 0 {
		return " (--retire-up-to N)"
	}
	return fmt.Sprintf(": linchpin run approve %[1]d --retire-up-to N, then linchpin run apply %[1]d", result.Run)
}

func printJSON(env *environment, plan *importer.Plan, result importer.Result, _ importOptions) error {
	e := json.NewEncoder(env.stdout)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Plan   *importer.Plan  `json:"plan"`
		Result importer.Result `json:"result"`
	}{plan, result})
}

// progressBar shows how far an import has come, on a terminal; elsewhere it says nothing.
func progressBar(env *environment) func(importer.Progress) {
	if !isTerminal(env.stderr) {
		return func(importer.Progress) {}
	}
	var bar *progressbar.ProgressBar
	phase := ""
	return func(p importer.Progress) {
		total := p.Total
		if total == 0 {
			total = -1
		}
		if bar == nil || p.Phase != phase {
			if bar != nil {
				_ = bar.Finish()
			}
			phase = p.Phase
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(env.stderr), progressbar.OptionSetDescription(fmt.Sprintf("%-6s", p.Phase)),
				progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("records"), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true))
		}
		if p.Total > 0 {
			bar.ChangeMax(p.Total)
		}
		_ = bar.Set(p.Done)
		if p.Total > 0 && p.Done >= p.Total {
			_ = bar.Finish()
			bar = nil
		}
	}
}
