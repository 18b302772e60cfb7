package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	tablesource "github.com/linchpin-cmdb/linchpin/internal/importer/table"
)

func importCSVCommand(env *environment, o *importOptions) *cobra.Command {
	var mapping mappingFlags
	var guess bool
	var options tablesource.GuessOptions
	cmd := &cobra.Command{
		Use:     "csv FILE…",
		Aliases: []string{"xlsx"},
		Short:   "Import CSV files and Excel workbooks by a mapping of their columns",
		Long: `Import CSV files and Excel workbooks (.xlsx): each row becomes a CI, as a mapping
says. --guess prints a mapping of a file to begin with.

The delimiter is the one of the header. The encoding is UTF-8, or what a byte
order mark says, or what the mapping says. A row with a mistake is left out, and
the cell is named. docs/sources.md explains mappings.`,
		Example: `  linchpin import csv servers.xlsx --guess > servers.yaml
  linchpin import csv servers.xlsx --mapping servers.yaml --dry-run
  linchpin import csv cmdb_ci.csv cmdb_rel_ci.csv --prepared servicenow`,
		Args: argsOf(func(cmd *cobra.Command, args []string) error {
			if mapping.isShown && mapping.prepared != "" {
				return nil
			}
			return somePaths(cmd, args)
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if done, err := mapping.show(env); done {
				return err
			}
			switch {
			case guess && (mapping != (mappingFlags{}) || len(args) > 1):
				return usageError{cmd, errors.New("--guess takes one file and no mapping, since it prints one")}
			case guess:
				return tablesource.Guess(env.stdout, args[0], options)
			case options != (tablesource.GuessOptions{}):
				return usageError{cmd, errors.New("--sheet and --encoding go with --guess: a mapping says them itself")}
			}
			m, err := mapping.read(cmd, "--guess prints one to begin with")
			if err != nil {
				return err
			}
			return runImport(auth.With(cmd.Context(), operator()), env, tablesource.New(m, args), *o)
		},
	}
	flags := cmd.Flags()
	mapping.define(cmd)
	flags.BoolVar(&guess, "guess", false, "print a mapping guessed from the header and the first 200 rows, and import nothing")
	flags.StringVar(&options.Sheet, "sheet", "", "with --guess: sheet of the workbook, if it has several")
	flags.StringVar(&options.Encoding, "encoding", "", "with --guess: encoding of the file, such as windows-1252")
	return cmd
}
