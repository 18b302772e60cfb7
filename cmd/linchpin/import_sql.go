package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/importer/database"
)

func importSQLCommand(env *environment, o *importOptions) *cobra.Command {
	var address string
	var mapping mappingFlags
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "sql",
		Short: "Import the results of queries to a database by a mapping of their columns",
		Long: `Import from PostgreSQL or SQLite: each row of a query becomes a CI, as the mapping
says that holds the query. The database is only read, in one state. --dsn is its
address, or better where that is kept: env:NAME, a variable of the environment, or
file:PATH, the first line of a file. Its password is never shown. docs/sources.md
explains mappings.`,
		Example: `  linchpin import sql --dsn env:INVENTORY --mapping inventory.yaml --dry-run
  linchpin import sql --dsn sqlite:assets.db --mapping assets.yaml`,
		Args: argsOf(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case address == "":
				return usageError{cmd, errors.New("say which database to read: --dsn env:NAME, file:PATH, sqlite:PATH or postgres://USER@HOST/NAME")}
			case timeout < 0:
				return usageError{cmd, fmt.Errorf("--statement-timeout is %s: a length of time, or 0 for none", timeout)}
			}
			if done, err := mapping.show(env); done {
				return err
			}
			m, err := mapping.read(cmd, "--dsn names a database")
			if err != nil {
				return err
			}
			secret, err := database.Secret(address, env.getenv)
			if err != nil {
				return err
			}
			source, err := database.New(m, database.Options{Address: secret, Timeout: timeout})
			if err != nil {
				return err
			}
			return runImport(auth.With(cmd.Context(), operator()), env, source, *o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&address, "dsn", "", "address of the database, or env:NAME or file:PATH, which hold it")
	flags.DurationVar(&timeout, "statement-timeout", 5*time.Minute, "end a statement that takes longer; 0 is never")
	mapping.define(cmd)
	return cmd
}
