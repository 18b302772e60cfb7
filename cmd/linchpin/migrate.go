package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func migrateCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to the newest version",
		Long:  "Bring the database to the newest version. serve, import and generate do so too; this command does nothing else. impact and spof do not: they refuse an older database.",
		Args:  argsOf(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			address, err := env.address()
			if err != nil {
				return err
			}
			s, err := store.Open(cmd.Context(), address)
			if err != nil {
				return err
			}
			defer func() { _ = s.Close() }()
			n, err := s.Migrate(cmd.Context())
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(env.stdout, "%s: %d migrations applied, the database is at the newest version.\n", store.Redact(address), n)
			return nil
		},
	}
}
