package importer

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	list "github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// claim is what a source last said of a record: a row of x_claim. Claims are not journalled, since the journal tells
// what became of the record.
type claim struct {
	source, key, scope string
	record             ident.ID
	hash               string // of body
	body               string // the row as JSON
	firstRun           int64
	changedAt          time.Time
	missingSince       time.Time // zero: the source has it
	missingRuns        int       // complete runs since then
	isSettled          bool      // nothing was to be said of the record when it was last compared
}

// isMissing reports whether the source has lost the record.
func (c *claim) isMissing() bool { return !c.missingSince.IsZero() }

// body returns a row as JSON, the same for the same content, and its hash: the first half of its SHA-256. Lists without
// an order of their own are sorted, and what is reported twice stands once.
func (r Row) body() (body, hash string, err error) {
	if r.CI != nil {
		ci := *r.CI
		ci.Relationships = sorted(ci.Relationships, func(a, b Relationship) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		ci.Null = sorted(ci.Null, strings.Compare)
		ci.Keys = sorted(ci.Keys, func(a, b Key) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		r.CI = &ci
	}
	if r.Person != nil {
		person := *r.Person
		person.Teams = sorted(person.Teams, strings.Compare)
		r.Person = &person
	}
	text, err := json.Marshal(r)
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256(text)
	return string(text), string(sum[:16]), nil
}

func sorted[T comparable](all []T, compare func(a, b T) int) []T {
	all = slices.Clone(all)
	slices.SortFunc(all, compare)
	return slices.Compact(all)
}

// row returns what a claim says.
func (c *claim) row() (row Row, err error) {
	if err := json.Unmarshal([]byte(c.body), &row); err != nil {
		return row, fmt.Errorf("the claim of %s on %q: %w", c.source, c.key, err)
	}
	return row, nil
}

// readClaims reads the claims that condition asks for.
func readClaims(ctx context.Context, tx *store.Tx, condition string, args ...any) ([]*claim, error) {
	rows, err := tx.QueryContext(ctx, "SELECT source, key, scope, record, hash, body, first_run, changed_at, missing_since, missing_runs, is_settled FROM x_claim WHERE "+condition, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []*claim
	for rows.Next() {
		c, hash, missing := &claim{}, []byte{}, sql.NullTime{}
		if err := rows.Scan(&c.source, &c.key, &c.scope, &c.record, &hash, &c.body, &c.firstRun, &c.changedAt, &missing, &c.missingRuns, &c.isSettled); err != nil {
			return nil, err
		}
		c.hash, c.missingSince = string(hash), missing.Time
		all = append(all, c)
	}
	return all, rows.Err()
}

// in returns the values of an IN list, the first of which is the parameter first, and its arguments.
func in[T any](first int, values []T) (list string, args []any) {
	places := make([]string, len(values))
	args = make([]any, len(values))
	for i, v := range values {
		places[i], args[i] = fmt.Sprint("$", first+i), v
	}
	return "(" + strings.Join(places, ", ") + ")", args
}

// values returns the rows of an INSERT, and their arguments.
func values(rows [][]any) (list string, args []any) {
	lists := make([]string, len(rows))
	for i, row := range rows {
		text, more := in(len(args)+1, row)
		lists[i], args = text, append(args, more...)
	}
	return strings.Join(lists, ", "), args
}

// among returns the condition that a column is one of some ids, which are its one argument.
func among(tx *store.Tx, column string, ids []ident.ID) (condition string, args []any) {
	p := list.OneOf(column, ids)
	if p.SetDialect(dialect.SQLite); tx.IsPostgres() {
		p.SetDialect(dialect.Postgres)
	}
	return p.Query()
}

// claimsOn reads all claims on records.
func claimsOn(ctx context.Context, tx *store.Tx, records []ident.ID) (all []*claim, err error) {
	for chunk := range slices.Chunk(records, page) {
		condition, args := among(tx, "record", chunk)
		some, err := readClaims(ctx, tx, condition, args...)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

var claimColumns = []string{"source", "key", "scope", "record", "hash", "body", "first_run", "changed_run", "changed_at", "is_settled"}

func (c *claim) columns(run int64, now time.Time) []any {
	return []any{c.source, c.key, c.scope, int64(c.record), []byte(c.hash), c.body, run, run, now, c.isSettled}
}

// addClaims writes claims on records that the source has not claimed before.
func addClaims(ctx context.Context, tx *store.Tx, run int64, all []*claim) error {
	rows := make([][]any, len(all))
	for i, c := range all {
		rows[i] = c.columns(run, tx.Now)
	}
	return tx.Append(ctx, "x_claim", claimColumns, rows)
}

// saveClaims writes what a run claims: new ones, and those that stand otherwise. They are not missing any more.
func saveClaims(ctx context.Context, tx *store.Tx, run int64, all []*claim) error {
	for chunk := range slices.Chunk(all, 100) {
		rows := make([][]any, len(chunk))
		for i, c := range chunk {
			rows[i] = c.columns(run, tx.Now)
		}
		list, args := values(rows)
		if _, err := tx.ExecContext(ctx, "INSERT INTO x_claim ("+strings.Join(claimColumns, ", ")+") VALUES "+list+` ON CONFLICT (source, key) DO UPDATE SET scope = excluded.scope, record = excluded.record, hash = excluded.hash, body = excluded.body,
			changed_run = excluded.changed_run, changed_at = excluded.changed_at, is_settled = excluded.is_settled, missing_since = NULL, missing_runs = 0`, args...); err != nil {
			return err
		}
	}
	return nil
}
