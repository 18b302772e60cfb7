package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/lib/pq"

	"github.com/linchpin-cmdb/linchpin/internal/chain"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

const linkedAtOnce = 2_000 // entries

// LinkAll links the revisions that stand without a link: those from before there was a chain, and those of programs
// that know none. Others write meanwhile, between its transactions.
func (s *Store) LinkAll(ctx context.Context) error {
	var revision, chained int64
	if err := s.reader.QueryRowContext(ctx, "SELECT revision, chained FROM head").Scan(&revision, &chained); err != nil {
		return err
	}
	ctx = pgconn.Patient(ctx)
	for isBehind := revision != chained; isBehind; {
		tx, err := s.writes.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		isBehind, err = linkSome(ctx, tx, s.IsPostgres(), -1)
		if err == nil {
			err = tx.Commit()
		}
		if err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return nil
}

// catchUp links all revisions up to one, in the transaction that has the head's lock.
func catchUp(ctx context.Context, tx *sql.Tx, isPostgres bool, to int64) error {
	for {
		isBehind, err := linkSome(ctx, tx, isPostgres, to)
		if err != nil || !isBehind {
			return err
		}
	}
}

// linkSome links the next revisions that have no link, up to one, or to the last if that is negative. It reports
// whether there are more.
func linkSome(ctx context.Context, tx *sql.Tx, isPostgres bool, to int64) (isBehind bool, err error) {
	lock := ""
	if isPostgres {
		lock = " FOR UPDATE"
	}
	var revision, chained int64
	var link []byte
	if err := tx.QueryRowContext(ctx, "SELECT revision, chained, chain FROM head"+lock).Scan(&revision, &chained, &link); err != nil {
		return false, err
	}
	if to < 0 {
		to = revision
	}
	if chained > to {
		return false, fmt.Errorf("the chain of the journal goes to revision %d, and the journal to %d: it was cut; see what happened by linchpin journal verify, and restore a backup", chained, to)
	}
	if chained == to {
		return false, nil
	}
	unsealed, last, err := unlinked(ctx, tx, chained+1, to)
	if err != nil {
		return false, err
	}
	if err := unsealed.write(ctx, tx, isPostgres); err != nil {
		return false, err
	}
	for r := chained + 1; r <= last; r++ {
		leaf := unsealed.leaves[r]
		if leaf == nil { // a gap of the journal
			leaf = &[chain.Size]byte{}
			*leaf = new(chain.Leaf).Sum()
		}
		link = chain.Next(link, r, *leaf)
		if _, err := tx.ExecContext(ctx, "INSERT INTO x_revision (revision, leaf, chain) VALUES ($1, $2, $3)", r, leaf[:], link); err != nil {
			return false, err
		}
	}
	_, err = tx.ExecContext(ctx, "UPDATE head SET chained = $1, chain = $2", last, link)
	return last < to, err
}

// unsealed are revisions without links, and the salts and digests of those of their entries that have none.
type unsealed struct {
	leaves         map[int64]*[chain.Size]byte
	ids            []int64
	salts, digests [][]byte
}

// unlinked reads whole revisions, some of those from…to, and returns the last of them.
func unlinked(ctx context.Context, tx *sql.Tx, from, to int64) (u unsealed, last int64, err error) {
	var lastLine int64
	read := func(to int64, limit int) (n int, err error) {
		u = unsealed{leaves: map[int64]*[chain.Size]byte{}}
		lastLine = 0
		var digester chain.Digester
		var leaf chain.Leaf
		end := func() {
			if lastLine > 0 {
				sum := leaf.Sum()
				u.leaves[lastLine] = &sum
			}
		}
		err = Lines(ctx, tx, from, to, limit, func(l *Line) error {
			if l.Revision != lastLine {
				end()
				lastLine = l.Revision
			}
			n++
			if l.Digest == nil {
				salt := chain.Salts(1)
				digest, err := digester.Of(salt, l.Before, l.After)
				if err != nil {
					return fmt.Errorf("%s: %w", l.ID, err)
				}
				u.ids, u.salts, u.digests = append(u.ids, int64(l.ID)), append(u.salts, salt), append(u.digests, digest)
				l.Digest = digest
			}
			leaf.Add(l.Line)
			return nil
		})
		end()
		return n, err
	}
	n, err := read(min(to, from+linkedAtOnce), linkedAtOnce)
	if err != nil || n < linkedAtOnce {
		return u, min(to, from+linkedAtOnce), err
	}
	if lastLine == from { // one revision fills the page
		_, err = read(from, MostEntries)
		return u, from, err
	}
	last = lastLine - 1 // the last one may go on
	_, err = read(last, MostEntries)
	return u, last, err
}

// write gives entries their salts and digests.
func (u *unsealed) write(ctx context.Context, tx *sql.Tx, isPostgres bool) error {
	if isPostgres {
		_, err := tx.ExecContext(ctx, `UPDATE entry SET salt = new.salt, digest = new.digest FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS new(id, salt, digest) WHERE entry.id = new.id`,
			pq.Int64Array(u.ids), pq.ByteaArray(u.salts), pq.ByteaArray(u.digests))
		return err
	}
	st, err := tx.PrepareContext(ctx, "UPDATE entry SET salt = $1, digest = $2 WHERE id = $3")
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	for i := range u.ids {
		if _, err := st.ExecContext(ctx, u.salts[i], u.digests[i], u.ids[i]); err != nil {
			return err
		}
	}
	return nil
}
