package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/chain"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Erased is the name of accounts and people who asked for it.
const Erased = "erased"

// signatures are the columns that have the name of then of an account, beside its id.
var signatures = []struct{ table, name, account, subject string }{
	{"incident", "opened_by", "opened_by_id", "id"},
	{"change", "requested_by", "requested_by_id", "id"},
	{"approval", "approver", "approver_id", "record_id"},
	{"timeline_entry", "actor", "actor_id", "record_id"},
}

// erasedAtOnce is the number of records that one transaction takes a name out of: their entries, and one for each, have
// room in a revision.
const erasedAtOnce = 200

// MayChangeJournal returns nil if this program may take content out of entries. On PostgreSQL servers may be kept from
// that: errs.Forbidden.
func (tx *Tx) MayChangeJournal(ctx context.Context) error {
	if !tx.IsPostgres() {
		return nil
	}
	var may bool
	if err := tx.row(ctx, "SELECT has_table_privilege('entry', 'UPDATE')", nil, &may); err != nil || may {
		return err
	}
	return errs.New(errs.Forbidden, "this server may not change the journal, as linchpin journal grants has it: run linchpin account erase as the owner of the tables")
}

// Forget makes the entries of this transaction about a record tell which fields changed, and not what they were.
func (tx *Tx) Forget(record ident.ID) {
	if tx.record.forgets == nil {
		tx.record.forgets = map[ident.ID]bool{}
	}
	tx.record.forgets[record] = true
}

// EraseName takes the name of an account out of records that it signed, and out of the entries about them, some at a
// time: it reports whether there are more. An entry for each tells the digest of the content that is left, so that
// nobody changes that unseen. Of the entries that the account wrote itself the name is in no digest.
func (tx *Tx) EraseName(ctx context.Context, account ident.ID, reason string) (isMore bool, err error) {
	if _, err := tx.ExecContext(ctx, "UPDATE entry SET actor = $1 WHERE actor_id = $2 AND actor <> $1", Erased, int64(account)); err != nil {
		return false, err
	}
	for _, s := range signatures {
		signed, err := tx.signedBy(ctx, s.table, s.name, s.account, s.subject, account)
		if err != nil || len(signed) == 0 {
			if err != nil {
				return false, err
			}
			continue
		}
		var ids, subjects []ident.ID
		for id, subject := range signed {
			ids, subjects = append(ids, id), append(subjects, subject)
		}
		slices.Sort(ids)
		entries, err := tx.Entry.Query().Where(entry.SubjectIDIn(subjects...), entry.RecordIDIn(ids...)).Order(entry.ByID(sql.OrderAsc())).All(ctx)
		if err != nil {
			return false, err
		}
		for _, e := range entries {
			if err := tx.replace(ctx, e, s.name, reason); err != nil {
				return false, err
			}
		}
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET %s = $1 WHERE id = $2", s.table, s.name), Erased, int64(id)); err != nil {
				return false, err
			}
		}
		return true, nil
	}
	return false, nil
}

// signedBy returns some of the records that an account signed by its name, and the records whose history has them.
func (tx *Tx) signedBy(ctx context.Context, table, name, signer, subject string, account ident.ID) (map[ident.ID]ident.ID, error) {
	rows, err := tx.QueryContext(ctx, fmt.Sprintf("SELECT id, %s FROM %s WHERE %s = $1 AND %s <> $2 ORDER BY id LIMIT %d", subject, table, signer, name, erasedAtOnce), int64(account), Erased)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	found := map[ident.ID]ident.ID{}
	for rows.Next() {
		var id, of int64
		if err := rows.Scan(&id, &of); err != nil {
			return nil, err
		}
		found[ident.ID(id)] = ident.ID(of)
	}
	return found, rows.Err()
}

// replace takes a name out of the content of an entry, and notes an entry that tells the new digest.
func (tx *Tx) replace(ctx context.Context, e *ent.Entry, name, reason string) error {
	isChanged := false
	for _, content := range []map[string]any{e.Before, e.After} {
		if _, ok := content[name]; ok {
			content[name], isChanged = Erased, true
		}
	}
	if !isChanged || e.Salt == nil {
		return nil
	}
	before, err := textOf(e.Before)
	if err != nil {
		return err
	}
	after, err := textOf(e.After)
	if err != nil {
		return err
	}
	salt := chain.Salts(1)
	digest, err := new(chain.Digester).Of(salt, before, after)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE entry SET before = $1, after = $2, salt = $3 WHERE id = $4", document(before, tx.IsPostgres()), document(after, tx.IsPostgres()), salt, int64(e.ID)); err != nil {
		return err
	}
	tx.record.note(&written{
		id: e.ID, subject: e.SubjectID, operation: domain.Updated, before: map[string]any{"reason": nil},
		after: map[string]any{"id": e.ID.String(), "reason": reason, "digest": hex.EncodeToString(digest)},
	})
	return nil
}

// ReplacedDigest returns the digest that an entry of EraseVerb tells of the content of another, or nil.
func ReplacedDigest(after []byte) []byte {
	if !strings.Contains(string(after), `"digest"`) {
		return nil
	}
	var told struct{ Digest string }
	if err := json.Unmarshal(after, &told); err != nil {
		return nil
	}
	digest, err := hex.DecodeString(told.Digest)
	if err != nil {
		return nil
	}
	return digest
}
