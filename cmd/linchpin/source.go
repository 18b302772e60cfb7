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

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/source"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	practice "github.com/linchpin-cmdb/linchpin/internal/practice/source"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// reading runs do on the database, which is only read.
func reading(env *environment, do func(ctx context.Context, s *store.Store, words []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, words []string) error {
		address, err := env.address()
		if err != nil {
			return err
		}
		s, err := store.OpenReading(cmd.Context(), address)
		if err != nil {
			return err
		}
		return errors.Join(do(cmd.Context(), s, words), s.Close())
	}
}

func sourceCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "source", Short: "Say how far the sources of imports are believed",
		Long: `Say how far the sources of imports are believed. A source that nobody has described
has priority 100, is believed for ever, and keeps what it has lost.`,
		Args: argsOf(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List the sources that were described or read", Args: argsOf(cobra.NoArgs), RunE: reading(env, func(ctx context.Context, s *store.Store, _ []string) error { return listSources(ctx, env, s) })},
		setSource(env),
		&cobra.Command{Use: "schedules", Short: "List what servers import by schedules, and how it went", Args: argsOf(cobra.NoArgs), RunE: reading(env, func(ctx context.Context, s *store.Store, _ []string) error { return listSchedules(ctx, env, s) })},
		pauseSchedule(env, "pause", "Leave a schedule alone until it is resumed", true),
		pauseSchedule(env, "resume", "Import by a schedule again", false),
	)
	return cmd
}

func pauseSchedule(env *environment, verb, short string, isPaused bool) *cobra.Command {
	return &cobra.Command{
		Use: verb + " SCHEDULE", Short: short, Args: argsOf(cobra.ExactArgs(1)),
		RunE: onStore(env, func(ctx context.Context, s *store.Store, words []string) error {
			actor, err := auth.Require(ctx, "source.set")
			if err != nil {
				return err
			}
			if err := s.PauseLease(ctx, actor.By("source."+verb), words[0], isPaused); err != nil {
				return err
			}
			return listSchedules(ctx, env, s)
		}),
	}
}

func listSchedules(ctx context.Context, env *environment, s *store.Store) error {
	all, err := s.Leases(ctx)
	if err != nil {
		return err
	}
	t := table{header: []string{"SCHEDULE", "STATE", "ENDED", "DUE", "RESULT"}, isSentence: true}
	for _, l := range all {
		state, ended, result := "waits", "never", ""
		switch {
		case l.IsPaused:
			state = "paused"
		case l.Holder != "":
			state = "runs on " + l.Holder
		}
		if l.Ended != nil {
			ended, result = l.Ended.UTC().Format(time.DateTime), cmp.Or(l.Failure, "done")
		}
		t.add(l.Name, state, ended, l.Due.UTC().Format(time.DateTime), result)
	}
	t.write(env.stdout, env.screen())
	return nil
}

func setSource(env *environment) *cobra.Command {
	var priority, graceRuns, guard int
	var stale, grace time.Duration
	var retire string
	var fields, trust []string
	cmd := &cobra.Command{
		Use: "set SOURCE", Short: "Describe a source, or change what it is; what is not named stays",
		Example: "  linchpin source set kubernetes --priority 200 --stale-after 2h --retire RETIRE\n  linchpin source set sheets --field server:attributes.os=300 --trust dns",
		Args:    argsOf(cobra.ExactArgs(1)),
	}
	flags := cmd.Flags()
	flags.IntVar(&priority, "priority", 0, "of two sources that report a field, the one of the higher priority is believed")
	flags.StringSliceVar(&fields, "field", nil, "CLASS:FIELD=PRIORITY or FIELD=PRIORITY: what it is worth for one field (\"*\": for all); may be repeated, and replaces what was there")
	flags.DurationVar(&stale, "stale-after", 0, "believe it only where no other one is if it has not been read for so long; 0 is never")
	flags.StringVar(&retire, "retire", "", "KEEP or RETIRE: what becomes of a CI that it has lost")
	flags.IntVar(&graceRuns, "grace-runs", 0, "retire it after so many complete runs without it")
	flags.DurationVar(&grace, "grace-time", 0, "and after so long")
	flags.IntVar(&guard, "guard", 0, "refuse a run in which more of the scope's records, in percent, are gone")
	flags.StringSliceVar(&trust, "trust", nil, "a space of keys, beside its own, that it may name records by; may be repeated, and replaces what was there")
	completeFlag(cmd, "retire", cobra.FixedCompletions(domain.Keep.Values(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = onStore(env, func(ctx context.Context, s *store.Store, words []string) error {
		in := practice.Set{Code: words[0]}
		given(cmd, "priority", &in.Priority, priority)
		given(cmd, "stale-after", &in.StaleAfter, stale)
		given(cmd, "retire", &in.RetirePolicy, domain.RetirePolicy(strings.ToUpper(retire)))
		given(cmd, "grace-runs", &in.GraceRuns, graceRuns)
		given(cmd, "grace-time", &in.GraceTime, grace)
		given(cmd, "guard", &in.GuardPercent, guard)
		if flags.Changed("trust") {
			in.KeySpaces = append([]string{}, trust...)
		}
		if flags.Changed("field") {
			in.FieldPriorities = []domain.FieldPriority{}
		}
		for _, text := range fields {
			rule, err := fieldPriority(text)
			if err != nil {
				return err
			}
			in.FieldPriorities = append(in.FieldPriorities, rule)
		}
		if _, err := practice.New(s).Set(ctx, in); err != nil {
			return err
		}
		return listSources(ctx, env, s)
	})
	return cmd
}

// given sets a field of an input if its flag was named.
func given[T any](cmd *cobra.Command, flag string, field **T, value T) {
	if cmd.Flags().Changed(flag) {
		*field = &value
	}
}

// fieldPriority reads what a source is worth for one field.
func fieldPriority(text string) (rule domain.FieldPriority, err error) {
	name, number, ok := strings.Cut(text, "=")
	if rule.Priority, err = strconv.Atoi(number); !ok || err != nil || name == "" {
		return rule, fmt.Errorf("%q is no priority of a field: write CLASS:FIELD=PRIORITY, such as server:attributes.os=300", text)
	}
	rule.Field = name
	if class, field, ok := strings.Cut(name, ":"); ok {
		rule.Class, rule.Field = class, field
	}
	return rule, nil
}

// onStore runs do on the database itself, in the name of the command.
func onStore(env *environment, do func(ctx context.Context, s *store.Store, words []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, words []string) error {
		address, err := env.address()
		if err != nil {
			return err
		}
		a, err := app.Open(cmd.Context(), address, newLog(env))
		if err != nil {
			return err
		}
		return errors.Join(do(auth.With(cmd.Context(), operator()), a.Store, words), a.Close())
	}
}

func listSources(ctx context.Context, env *environment, s *store.Store) error {
	described, err := s.Read.Source.Query().Order(ent.Asc(source.FieldCode)).All(ctx)
	if err != nil {
		return store.Translate(err)
	}
	read, err := importer.ReadScopes(ctx, s, nil)
	if err != nil {
		return err
	}
	t := table{header: []string{"SOURCE", "SCOPE", "PRIORITY", "STALE AFTER", "LOST", "CLAIMS", "MISSING", "LAST COMPLETE RUN"}}
	shown := map[string]bool{}
	row := func(of *ent.Source, at *importer.Scope) {
		last := "never"
		if at.LastComplete != nil {
			last = at.LastComplete.UTC().Format(time.DateTime)
		}
		after := "never"
		if of.StaleAfterMinutes > 0 {
			after = (time.Duration(of.StaleAfterMinutes) * time.Minute).String()
		}
		t.add(of.Code, cmp.Or(at.Scope, "-"), strconv.Itoa(of.Priority), after, string(of.RetirePolicy), strconv.Itoa(at.Claims), strconv.Itoa(at.Missing), last)
		shown[of.Code] = true
	}
	byCode := map[string]*ent.Source{}
	for _, of := range described {
		byCode[of.Code] = of
	}
	for _, at := range read {
		of := byCode[at.Source]
		if of == nil {
			of = &ent.Source{Code: at.Source, Priority: domain.SourcePriority, RetirePolicy: domain.Keep}
		}
		row(of, at)
	}
	for _, of := range described {
		if !shown[of.Code] {
			row(of, &importer.Scope{})
		}
	}
	t.write(env.stdout, env.screen())
	return nil
}

func runCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{Use: "run", Short: "Look at the runs of imports", Args: argsOf(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	var of, outcome string
	var first int
	list := &cobra.Command{Use: "list", Short: "List runs, the newest first", Args: argsOf(cobra.NoArgs), RunE: reading(env, func(ctx context.Context, s *store.Store, _ []string) error {
		runs, err := importer.ReadRuns(ctx, s, importer.RunQuery{Source: of, First: first})
		if err != nil {
			return err
		}
		t := table{header: []string{"RUN", "SOURCE", "SCOPE", "KIND", "STATE", "STARTED", "REVISIONS", "RESULT"}, isSentence: true}
		for _, r := range runs {
			revisions := "-"
			if r.ToRevision > r.FromRevision {
				revisions = fmt.Sprintf("%d–%d", r.FromRevision+1, r.ToRevision)
			}
			t.add(strconv.FormatInt(r.ID, 10), r.Source, cmp.Or(r.Scope, "-"), string(r.Kind), string(r.State), r.StartedAt.UTC().Format(time.DateTime), revisions, cmp.Or(r.Reason, r.Planned.Sentence()))
		}
		t.write(env.stdout, env.screen())
		return nil
	})}
	list.Flags().StringVar(&of, "source", "", "of this source alone")
	list.Flags().IntVar(&first, "first", 50, "so many")
	show := &cobra.Command{
		Use: "show RUN", Short: "Show what a run did about each record that was not unchanged", Example: "  linchpin run show 12 --outcome yield",
		Args: argsOf(cobra.ExactArgs(1)), RunE: reading(env, func(ctx context.Context, s *store.Store, words []string) error {
			return showRun(ctx, env, s, words[0], outcome)
		}),
	}
	show.Flags().StringVar(&outcome, "outcome", "", "show the steps with this outcome alone, such as yield")
	cmd.AddCommand(list, show, applyRun(env), approveRun(env), discardRun(env))
	return cmd
}

// stepsAtOnce is how many steps of a run are read at a time.
const stepsAtOnce = 500

func showRun(ctx context.Context, env *environment, s *store.Store, word, outcome string) error {
	id, err := runNumber(word)
	if err != nil {
		return err
	}
	run, err := importer.ReadRun(ctx, s, id)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(env.stdout, "run %d of %s%s: %s, %s, begun %s by %s\n", run.ID, run.Source, scopeText(run.Scope), run.Kind, run.State, run.StartedAt.UTC().Format(time.DateTime), run.Actor)
	if run.Reason != "" {
		_, _ = fmt.Fprintln(env.stdout, run.Reason)
	}
	for from := 0; ; {
		steps, next, err := importer.ReadRunSteps(ctx, s, id, from, stepsAtOnce, importer.Outcome(outcome))
		if err != nil {
			return err
		}
		for _, step := range steps {
			_, _ = fmt.Fprintln(env.stdout, step.Sentence())
		}
		if from = next; next == 0 {
			return nil
		}
	}
}

func scopeText(scope string) string {
	if scope == "" {
		return ""
	}
	return " (" + scope + ")"
}

func driftCommand(env *environment) *cobra.Command {
	var kinds []string
	var of, class string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "drift", Short: "Report where CIs and what sources say of them have come apart",
		Long: `Report where CIs and what sources say of them have come apart:

  DISAGREES     two sources that are believed say different things
  LOCKED_OVER   a person's value stands against a source's
  STALE         no source has been read for as long as it is believed
  MISSING       a source has lost it
  UNCLAIMED     no source has it: only people know it
  UNREFERENCED  nothing is related to it
  DANGLING      it refers to what nobody has reported`,
		Example: "  linchpin drift --kind DISAGREES,LOCKED_OVER --class server",
		Args:    argsOf(cobra.NoArgs),
	}
	cmd.Flags().StringSliceVar(&kinds, "kind", nil, "of these kinds alone")
	cmd.Flags().StringVar(&of, "source", "", "about this source alone")
	cmd.Flags().StringVar(&class, "class", "", "of CIs of this class, and those below it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each")
	completeFlag(cmd, "kind", cobra.FixedCompletions(importer.Disagrees.Values(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = reading(env, func(ctx context.Context, s *store.Store, _ []string) error {
		q := importer.DriftQuery{Source: of, Class: class}
		for _, word := range kinds {
			kind := importer.DriftKind(strings.ToUpper(word))
			if err := checkCodes("--kind", []string{string(kind)}, importer.Disagrees.Values()); err != nil {
				return usageError{cmd, err}
			}
			q.Kinds = append(q.Kinds, kind)
		}
		return printDrift(ctx, env, s, q, asJSON)
	})
	return cmd
}

func printDrift(ctx context.Context, env *environment, s *store.Store, q importer.DriftQuery, asJSON bool) error {
	t := table{header: []string{"KIND", "ID", "CLASS", "NAME", "ABOUT"}, isSentence: true}
	e := json.NewEncoder(env.stdout)
	for {
		found, err := importer.ReadDrift(ctx, s, q)
		if err != nil {
			return err
		}
		for _, d := range found.Drift {
			if asJSON {
				if err := e.Encode(d); err != nil {
					return err
				}
				continue
			}
			t.add(string(d.Kind), d.CI.String(), d.Class, d.Name, d.Sentence())
		}
		if q.After = found.Next; q.After == 0 {
			break
		}
	}
	if !asJSON {
		t.write(env.stdout, env.screen())
	}
	return nil
}
