package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func exportCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write what the CMDB holds as a file of another format",
		Args:  argsOf(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(exportCSVCommand(env), exportEstateCommand(env), exportNDJSONCommand(env))
	return cmd
}

// exportFlags choose what is exported.
type exportFlags struct {
	filterFlags
	text string
}

func (f *exportFlags) define(cmd *cobra.Command, env *environment) {
	cmd.Flags().StringVar(&f.text, "filter", "", "only CIs that this filter of cis chooses, as JSON")
	serverFlag(cmd, env)
	f.filterFlags.define(cmd, env)
}

// run returns what a command does, which is given the filter of what it exports: nil if that is everything.
func (f *exportFlags) run(env *environment, export func(context.Context, *answerer, map[string]any) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		var filter map[string]any
		if err := f.check(); err != nil {
			return usageError{cmd, err}
		}
		if f.text != "" && json.Unmarshal([]byte(f.text), &filter) != nil {
			return usageError{cmd, fmt.Errorf(`--filter is no JSON object, such as '{"lifecycle": {"eq": "RETIRED"}}'`)}
		}
		return withAnswerer(cmd, env, func(ctx context.Context, a *answerer) error {
			chosen, err := f.chosen(ctx, cmd, a)
			switch {
			case err != nil:
				return err
			case len(chosen) > 0 && filter != nil:
				filter = map[string]any{"and": []any{chosen, filter}}
			case len(chosen) > 0:
				filter = chosen
			}
			return export(ctx, a, filter)
		})
	}
}
