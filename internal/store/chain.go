package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"

	"github.com/linchpin-cmdb/linchpin/internal/chain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// seal makes the texts, salts and digests of entries, and returns the leaf of their revision, whose number it does not
// need: nobody waits meanwhile.
func (tx *Tx) seal(ctx context.Context, entries []*written) (leaf []byte, err error) {
	account, err := tx.Author(ctx)
	if err != nil {
		return nil, err
	}
	line := chain.Line{At: tx.Now.UnixMicro(), Actor: tx.Actor, ActorID: orZero(account), ViaID: orZero(tx.by.ViaID), Via: string(tx.Via()), Verb: tx.Verb}
	salts := chain.Salts(len(entries))
	var digester chain.Digester
	var lines chain.Leaf
	for i, w := range entries {
		if w.prior, err = textOf(w.before); err != nil {
			return nil, err
		}
		if w.text == nil {
			if w.text, err = textOf(w.after); err != nil {
				return nil, err
			}
		}
		w.salt = salts[i*chain.SaltSize : (i+1)*chain.SaltSize : (i+1)*chain.SaltSize]
		if w.digest, err = digester.Of(w.salt, w.prior, w.text); err != nil {
			return nil, fmt.Errorf("%s: %w", w.id, err)
		}
		line.Operation, line.Record, line.Subject, line.Digest = string(w.operation), int64(w.id), int64(w.subject), w.digest
		lines.Add(line)
	}
	sum := lines.Sum()
	return sum[:], nil
}

func orZero(id *ident.ID) int64 {
	if id == nil {
		return 0
	}
	return int64(*id)
}

// The head's row gives its number and its link to a revision in one statement: whoever waits for it goes on from what
// the one before has committed. It is linked only if the one before is.
const (
	takeSQLite = `UPDATE head SET revision = revision + 1, chained = chained + (chained = revision),
		chain = CASE WHEN chained = revision THEN x_link(chain, revision + 1, $1) ELSE chain END RETURNING revision, chained`
	takePostgres = `WITH taken AS (UPDATE head SET revision = revision + 1, chained = chained + (chained = revision)::int,
		chain = CASE WHEN chained = revision THEN sha256(coalesce(chain, '') || int8send(revision + 1) || $1) ELSE chain END RETURNING revision, chained, chain),
		linked AS (INSERT INTO x_revision (revision, leaf, chain) SELECT revision, $1, chain FROM taken WHERE chained = revision)
		SELECT revision, chained FROM taken`
	linkSQLite = "INSERT INTO x_revision (revision, leaf, chain) SELECT revision, $1, chain FROM head"
)

// init registers x_link, which is chain.Next.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("x_link", 3, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		previous, _ := args[0].([]byte) // none before the first revision
		revision, isNumber := args[1].(int64)
		leaf, isLeaf := args[2].([]byte)
		if !isNumber || !isLeaf || len(leaf) != chain.Size {
			return nil, fmt.Errorf("x_link takes a link, a revision and a leaf, not %v", args)
		}
		return chain.Next(previous, revision, [chain.Size]byte(leaf)), nil
	})
}

// nextRevision takes the number of a revision that has a leaf, and links it to the one before. Programs that know no
// chain may have written those before; then it links them first.
func nextRevision(ctx context.Context, tx *Tx, leaf []byte) (revision int64, err error) {
	take := takeSQLite
	if tx.IsPostgres() {
		take = takePostgres
	}
	var chained int64
	if err := tx.row(ctx, take, []any{leaf}, &revision, &chained); err != nil {
		return 0, err
	}
	switch {
	case revision > MostRevision:
		return 0, errNoRevision
	case chained != revision:
		if err := catchUp(ctx, tx.record.tx, tx.IsPostgres(), revision-1); err != nil {
			return 0, err
		}
		return revision, tx.extend(ctx, revision, leaf)
	case !tx.IsPostgres():
		_, err = tx.ExecContext(ctx, linkSQLite, leaf)
	}
	return revision, err
}

// extend links a revision whose predecessor is linked.
func (tx *Tx) extend(ctx context.Context, revision int64, leaf []byte) error {
	var previous []byte
	if err := tx.row(ctx, "SELECT chain FROM head", nil, &previous); err != nil {
		return err
	}
	link := chain.Next(previous, revision, [chain.Size]byte(leaf))
	if _, err := tx.ExecContext(ctx, "UPDATE head SET chained = $1, chain = $2", revision, link); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO x_revision (revision, leaf, chain) VALUES ($1, $2, $3)", revision, leaf, link)
	return err
}

// row reads the only row of a statement into the destinations. A statement that was cut short has no rows either, and
// says why.
func (tx *Tx) row(ctx context.Context, query string, args []any, into ...any) (err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		return cmp.Or(rows.Err(), sql.ErrNoRows)
	}
	return rows.Scan(into...)
}

// Line is an entry as the tables have it: what its revision's leaf holds, and the content under it. The bytes are valid
// until the next one is read.
type Line struct {
	chain.Line
	ID            ident.ID
	Revision      int64
	Before, After sql.RawBytes
	Salt          sql.RawBytes
}

// Lines calls visit with the entries of the revisions from…to, in order, at most limit of them.
func Lines(ctx context.Context, tx *sql.Tx, from, to int64, limit int, visit func(*Line) error) (err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, revision, at, actor, coalesce(actor_id, 0), via, coalesce(via_id, 0), verb, operation, record_id, subject_id, before, after, salt, digest
		FROM entry WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3`, int64(EntryID(from, 0)), int64(EntryID(to+1, 0)), limit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var l Line
	var at time.Time
	var actor, via, verb, operation, digest sql.RawBytes
	for rows.Next() {
		err := rows.Scan((*int64)(&l.ID), &l.Revision, &at, &actor, &l.ActorID, &via, &l.ViaID, &verb, &operation, &l.Record, &l.Subject, &l.Before, &l.After, &l.Salt, &digest)
		if err != nil {
			return err
		}
		l.At, l.Actor, l.Via, l.Verb, l.Operation, l.Digest = at.UnixMicro(), string(actor), string(via), string(verb), string(operation), digest
		if err := visit(&l); err != nil {
			return err
		}
	}
	return rows.Err()
}
