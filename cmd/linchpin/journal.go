package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/audit"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func journalCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "journal", Short: "Show that nobody changed the journal, and keep it elsewhere",
		Args: argsOf(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(journalVerify(env), journalCheckpoint(env), journalKey(env), journalExport(env), journalPurge(env), journalRedact(env), journalGrants(env))
	return cmd
}

func journalVerify(env *environment) *cobra.Command {
	var checkpoints []string
	var key, export string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Work the chain of the journal out again, and compare it with checkpoints",
		Long: `Work the chain of the journal out again, and compare it with checkpoints: those in
the database, and those in the files that are named. Servers may write meanwhile.
Who can write the database can make a chain anew: it is seen by a checkpoint that
was kept elsewhere, or that the database has kept, unless they had the root key too.

Checkpoints are verified by --key, which linchpin journal key prints, or else by
the root key. Of an export, the file alone is read.

Exit codes: 0 it is as it was written; 1 it could not be told; 2 the command line
is wrong; 3 it is not, and the first revision that differs is named; 4 its chain
holds, and is not the one that was signed.`,
		Example: "  linchpin journal verify --checkpoint monday.txt\n  linchpin journal verify --export 2026.ndjson --checkpoint monday.txt --key linchpin.journal+…",
		Args:    argsOf(cobra.NoArgs),
	}
	cmd.Flags().StringArrayVar(&checkpoints, "checkpoint", nil, "file with a checkpoint that was kept; may be repeated")
	cmd.Flags().StringVar(&key, "key", "", "the public key that verifies checkpoints (default: by the root key)")
	cmd.Flags().StringVar(&export, "export", "", "verify this export instead of the database")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		address, err := env.address()
		if err != nil {
			return err
		}
		keys, err := env.journalKeys(address, key)
		if err != nil {
			return err
		}
		kept, err := readCheckpoints(keys, checkpoints)
		if err != nil {
			return err
		}
		var r audit.Report
		if export != "" {
			r, err = verifyExport(export, kept)
		} else {
			r, err = verifyJournal(cmd.Context(), address, keys, kept)
		}
		if err != nil {
			return err
		}
		return tellJournal(env, r)
	}
	return cmd
}

// journalKeys returns the keys that verify checkpoints. If the installation has no root key either, there are none.
func (env *environment) journalKeys(address, given string) (audit.Keys, error) {
	if given != "" {
		return audit.ParseKeys(given)
	}
	known, err := env.knownKeys(address)
	if err != nil || known == nil {
		return audit.Keys{}, err
	}
	_, keys, err := audit.Signers(known.JournalSeeds())
	return keys, err
}

func readCheckpoints(keys audit.Keys, paths []string) ([]audit.Checkpoint, error) {
	var all []audit.Checkpoint
	for _, path := range paths {
		text, err := os.ReadFile(path) //nolint:gosec // the file that was named
		if err != nil {
			return nil, err
		}
		c, err := keys.Open(text)
		if err != nil {
			return nil, fmt.Errorf("checkpoint %s: %w; name the key with --key or --key-file", path, err)
		}
		all = append(all, c)
	}
	return all, nil
}

func verifyExport(path string, kept []audit.Checkpoint) (r audit.Report, err error) {
	f, err := os.Open(path) //nolint:gosec // the file that was named
	if err != nil {
		return r, err
	}
	defer func() { _ = f.Close() }()
	if r, err = audit.VerifyExport(bufio.NewReader(f), kept...); err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return r, err
}

func verifyJournal(ctx context.Context, address string, keys audit.Keys, kept []audit.Checkpoint) (r audit.Report, err error) {
	err = onSnapshot(ctx, address, audit.Connections(), func(from *store.Snapshot) error {
		r, err = audit.Verify(ctx, from, keys, kept...)
		return err
	})
	return r, err
}

// onSnapshot reads one revision of a database.
func onSnapshot(ctx context.Context, address string, connections int, read func(*store.Snapshot) error) error {
	s, err := store.OpenReading(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	from, err := s.Snapshot(ctx, connections)
	if err != nil {
		return err
	}
	defer from.Close()
	return read(from)
}

// tellJournal says what the chain says. If it does not hold, it returns the exit code that says so.
func tellJournal(env *environment, r audit.Report) error {
	_, _ = fmt.Fprintf(env.stdout, "%d revisions, %d entries, %d redacted, link %x.\n", r.Revision-r.First+1, r.Entries, r.Redacted, r.Link)
	if r.First > 1 {
		_, _ = fmt.Fprintf(env.stdout, "It begins with revision %d; %d entries are kept of those before.\n", r.First, r.Kept)
	}
	if r.Unswept > 0 {
		_, _ = fmt.Fprintf(env.stdout, "%d entries were purged and are still there: linchpin journal purge --before %d goes on.\n", r.Unswept, r.First)
	}
	if r.Older > 0 {
		_, _ = fmt.Fprintf(env.stdout, "%d checkpoints are of revisions that were purged: compare them with the export that has these.\n", r.Older)
	}
	switch {
	case r.Fault == nil && r.Newest == 0:
		_, _ = fmt.Fprintln(env.stdout, "The chain holds; there was no checkpoint to compare it with.")
		return nil
	case r.Fault == nil:
		_, _ = fmt.Fprintf(env.stdout, "The chain holds, and is the one that was signed in revision %d.\n", r.Newest)
		return nil
	}
	_, _ = fmt.Fprintln(env.stdout, "fault: "+r.Fault.String())
	if r.Fault.IsOfCheckpoint {
		return exitCode(exitOther)
	}
	return exitCode(exitProblems)
}

// signer returns what signs checkpoints of a database.
func (env *environment) signer(address string) (*audit.Signer, error) {
	known, err := env.knownKeys(address)
	if err != nil {
		return nil, err
	}
	if known == nil {
		return nil, errors.New("there is no root key: name it with --key-file")
	}
	signer, _, err := audit.Signers(known.JournalSeeds())
	return signer, err
}

func journalCheckpoint(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "checkpoint",
		Short: "Print a signed checkpoint of the journal, to keep elsewhere",
		Long: `Print a signed checkpoint of the journal as it ends now: a note in the format of
C2SP, with the revision and its link. Servers keep one in the database and in their
log each minute in which something was written; keep some where nobody who may
write the database can change them.`,
		Example: "  linchpin journal checkpoint > monday.txt",
		Args:    argsOf(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			address, err := env.address()
			if err != nil {
				return err
			}
			signer, err := env.signer(address)
			if err != nil {
				return err
			}
			s, err := store.OpenReading(cmd.Context(), address)
			if err != nil {
				return err
			}
			defer func() { _ = s.Close() }()
			c, err := audit.Latest(cmd.Context(), s)
			if err != nil {
				return err
			}
			if c == nil {
				return errors.New("the journal is empty: there is nothing to sign")
			}
			note, err := signer.Sign(*c)
			if err == nil {
				_, err = io.WriteString(env.stdout, note)
			}
			return err
		},
	}
}

func journalKey(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Print the public key that verifies checkpoints", Args: argsOf(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			address, err := env.address()
			if err != nil {
				return err
			}
			signer, err := env.signer(address)
			if err == nil {
				_, _ = fmt.Fprintln(env.stdout, signer.PublicKey())
			}
			return err
		},
	}
}

func journalExport(env *environment) *cobra.Command {
	var before int64
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "Write the older revisions of the journal into a file that verifies by itself",
		Long: `Write the revisions before one into a file that does not exist, as NDJSON: a line
for each revision, with its entries, their salts and digests, and its link. linchpin
journal verify --export needs nothing else. The database keeps them until linchpin
journal purge takes them out. After that an export begins where the journal does.`,
		Example: "  linchpin journal export --before 100000 first.ndjson",
		Args:    argsOf(cobra.ExactArgs(1)),
	}
	cmd.Flags().Int64Var(&before, "before", 0, "the first revision that is left out")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if before == 0 {
			return usageError{cmd, errors.New("name the first revision that is left out, with --before")}
		}
		address, err := env.address()
		if err != nil {
			return err
		}
		var first int64
		var last audit.Checkpoint
		err = onSnapshot(cmd.Context(), address, 1, func(from *store.Snapshot) error {
			floor, err := from.Floor(cmd.Context())
			if err == nil {
				first = floor.Revision
				last, err = exportTo(cmd.Context(), from, before, args[0])
			}
			return err
		})
		if err == nil {
			_, _ = fmt.Fprintf(env.stdout, "%s holds revisions %d to %d, link %x.\n", args[0], first, last.Revision, last.Link)
		}
		return err
	}
	return cmd
}

// exportTo writes an export into a new file, whole or not at all.
func exportTo(ctx context.Context, from *store.Snapshot, before int64, path string) (last audit.Checkpoint, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the file that was named
	if err != nil {
		return last, err
	}
	w := bufio.NewWriter(f)
	last, err = audit.Export(ctx, from, before, w)
	if err == nil {
		err = errors.Join(w.Flush(), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return last, err
}

func journalPurge(env *environment) *cobra.Command {
	var before int64
	var export string
	cmd := &cobra.Command{
		Use:   "purge",
		Short: "Take the older revisions out of the journal, for good, once an export has them",
		Long: `Take the revisions before one out of the journal, for good. The export that has them
is named, and compared with the journal first. What stays of them are the entries
that tell how records stood then, so that questions about later revisions have
their answers; a question about an earlier one is TOO_OLD, and so is a cursor or a
token of one. What stays is signed, and an entry tells of the purge: linchpin
journal verify goes on from there.

Servers read and write meanwhile. If it is cut short, give the same command again.
A SQLite file does not shrink: what is written later takes the room.`,
		Example: "  linchpin journal export --before 100000 first.ndjson\n  linchpin journal purge --before 100000 --export first.ndjson",
		Args:    argsOf(cobra.NoArgs),
	}
	cmd.Flags().Int64Var(&before, "before", 0, "the first revision that stays")
	cmd.Flags().StringVar(&export, "export", "", "the export that has the revisions before it")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if before == 0 || export == "" {
			return usageError{cmd, errors.New("name the first revision that stays, and the export that has those before: --before 100000 --export first.ndjson")}
		}
		address, err := env.address()
		if err != nil {
			return err
		}
		signer, err := env.signer(address)
		if err != nil {
			return err
		}
		keys, err := env.journalKeys(address, "")
		if err != nil {
			return err
		}
		f, err := os.Open(export) //nolint:gosec // the file that was named
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		a, err := app.Open(cmd.Context(), address, newLog(env))
		if err != nil {
			return err
		}
		p, err := audit.Purge(cmd.Context(), a.Store, operator().By(store.PurgeVerb), signer, keys, before, bufio.NewReader(f), steps(env))
		if err == nil {
			_, _ = fmt.Fprintf(env.stdout, "The journal begins with revision %d: %d entries are purged, and %d kept.\n", p.To+1, p.Gone, p.Kept)
		}
		return errors.Join(err, a.Close())
	}
	return cmd
}

func journalGrants(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "grants ROLE",
		Short: "Print what keeps a role of PostgreSQL from changing the journal",
		Long: `Print the statements that let a role of PostgreSQL do what servers do, and keep it
from changing or deleting what the journal says. The owner of the tables runs them,
again after each upgrade; linchpin migrate, and linchpin journal redact and purge,
act as the owner.`,
		Example: "  linchpin journal grants linchpin_server | psql linchpin",
		Args:    argsOf(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, statement := range audit.Grants(args[0]) {
				_, _ = fmt.Fprintln(env.stdout, statement+";")
			}
			return nil
		},
	}
}

func journalRedact(env *environment) *cobra.Command {
	var record, reason string
	cmd := &cobra.Command{
		Use:   "redact",
		Short: "Take what the journal says of a person, account, token, vote or comment out of it, for good",
		Long: `Take the content out of all entries of a record, for good: who did what and when
stays, and the chain holds. An entry for each says that it was redacted, and why.
The record itself is not changed: do that first. Backups keep what they have, and
servers that run keep the newest few thousand entries in memory until they start
again.`,
		Example: "  linchpin journal redact --record per_7 --reason 'asked for erasure on 2026-11-30'",
		Args:    argsOf(cobra.NoArgs),
	}
	cmd.Flags().StringVar(&record, "record", "", "id of the record")
	cmd.Flags().StringVar(&reason, "reason", "", "why, as the journal keeps it")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		id, err := ident.Parse(record)
		if err != nil || reason == "" {
			return usageError{cmd, errors.New("name the record by its id, and a reason: --record per_7 --reason …")}
		}
		address, err := env.address()
		if err != nil {
			return err
		}
		a, err := app.Open(cmd.Context(), address, newLog(env))
		if err != nil {
			return err
		}
		n, err := store.Write(cmd.Context(), a.Store, operator().By(store.RedactVerb), func(ctx context.Context, tx *store.Tx) (int, error) {
			return tx.Redact(ctx, id, reason)
		})
		if err == nil {
			_, _ = fmt.Fprintf(env.stdout, "%d entries of %s were redacted.\n", n, id)
		}
		return errors.Join(err, a.Close())
	}
	return cmd
}
