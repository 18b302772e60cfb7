package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/backup"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func backupCommand(env *environment) *cobra.Command {
	var textfile string
	cmd := &cobra.Command{
		Use:   "backup FOLDER",
		Short: "Keep a copy of the database, while servers use it",
		Long: `Keep a copy of the database as it is in one revision, while servers read and write
it. FOLDER does not exist, or is empty; it gets the copy and manifest.json, which
says what the copy holds, by number, digest and SHA-256. A backup that was cut
short leaves no FOLDER.

PostgreSQL is dumped by pg_dump, which is on the PATH in the server's version or a
newer one. The root key of secrets is not in the backup: keep it beside it, in
another place.`,
		Example: "  linchpin backup /var/backups/linchpin/monday\n  linchpin backup --database postgres://linchpin@localhost/linchpin monday",
		Args:    argsOf(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			address, err := env.address()
			if err != nil {
				return err
			}
			m, err := backup.Make(cmd.Context(), address, args[0], version(debug.ReadBuildInfo()), steps(env))
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(env.stdout, "%s holds revision %d of %s, %d bytes.\n", args[0], m.Revision, store.Redact(address), m.Bytes)
			return tellCollector(textfile, m)
		},
	}
	cmd.Flags().StringVar(&textfile, "textfile", "", "a file NAME.prom in the folder of node_exporter's textfile collector, which then tells Prometheus of the backup")
	return cmd
}

// tellCollector writes what a backup holds to a file for Prometheus, if one is named: whole or not at all.
func tellCollector(path string, m backup.Manifest) error {
	if path == "" {
		return nil
	}
	text := fmt.Sprintf(`# HELP linchpin_backup_timestamp_seconds When the last backup was made.
# TYPE linchpin_backup_timestamp_seconds gauge
linchpin_backup_timestamp_seconds %d
# HELP linchpin_backup_revision The revision that the last backup holds.
# TYPE linchpin_backup_revision gauge
linchpin_backup_revision %d
`, m.At.Unix(), m.Revision)
	unfinished := path + ".new"                                           // the collector reads names that end in .prom
	if err := os.WriteFile(unfinished, []byte(text), 0o644); err != nil { //nolint:gosec // the collector is another user
		return fmt.Errorf("the backup is kept, and --textfile is not written: %w", err)
	}
	if err := os.Rename(unfinished, path); err != nil {
		return fmt.Errorf("the backup is kept, and --textfile is not written: %w", err)
	}
	return nil
}

func restoreCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FOLDER",
		Short: "Bring a backup into a database that holds nothing",
		Long: `Bring a backup into a database that holds nothing: a SQLite file that does not
exist, or an empty PostgreSQL database. The copy is compared with its manifest
before and after, brought to the version of this program, and verified. PostgreSQL
is filled by pg_restore, which is on the PATH, whole or not at all.

Exit codes: 0 it is restored and whole; 1 it could not be done; 2 the command line
is wrong; 3 it is restored, and differs from what was kept.`,
		Example: "  linchpin restore /var/backups/linchpin/monday --database sqlite:restored.db",
		Args:    argsOf(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			address, err := env.address()
			if err != nil {
				return err
			}
			m, faults, err := backup.Restore(cmd.Context(), args[0], address, steps(env))
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(env.stdout, "%s is at revision %d, kept %s.\n", store.Redact(address), m.Revision, m.At.Format("2006-01-02 15:04 MST"))
			return tell(env, faults, 0)
		},
	}
}

func verifyCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Tell whether the database is as its journal says",
		Long: `Tell whether the database is as its journal says: each record as its last entry has
it, none that no entry made, none missing, revisions without a gap, each fact with
one version that holds, and a SQLite file that is sound. Servers may use it
meanwhile: one revision is looked at.

Exit codes: 0 it is; 1 it could not be told; 2 the command line is wrong; 3 it is
not, and the faults are listed.`,
		Args: argsOf(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			address, err := env.address()
			if err != nil {
				return err
			}
			r, err := backup.Verify(cmd.Context(), address, steps(env))
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(env.stdout, "Revision %d: %d records, %d journal entries, graph %s.\n", r.Revision, r.Records, r.Entries, r.Graph)
			return tell(env, r.Faults, r.More)
		},
	}
}

// steps tells a terminal what begins.
func steps(env *environment) func(string) {
	if !isTerminal(env.stderr) {
		return nil
	}
	return func(step string) { _, _ = fmt.Fprintln(env.stderr, step+" …") }
}

// tell lists faults. If there are any, it returns the exit code that says so.
func tell(env *environment, faults []string, more int) error {
	if len(faults) == 0 {
		_, _ = fmt.Fprintln(env.stdout, "Everything is as the journal says.")
		return nil
	}
	for _, f := range faults {
		_, _ = fmt.Fprintln(env.stdout, "fault: "+f)
	}
	if more > 0 {
		_, _ = fmt.Fprintf(env.stdout, "and %d more\n", more)
	}
	return exitCode(exitProblems)
}
