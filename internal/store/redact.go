package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// RedactVerb is the verb of entries that tell that others were redacted.
const RedactVerb = "journal.redact"

// EraseVerb is the verb of entries that tell that a name was taken out of others.
const EraseVerb = "account.erase"

// IsRedaction reports whether entries of a verb may tell that others lost content.
func IsRedaction(verb string) bool { return verb == RedactVerb || verb == EraseVerb }

// redactable are the kinds of records whose past may lose its content: nothing else is worked out of it.
var redactable = []ident.Kind{ident.Person, ident.Account, ident.APIToken, ident.TimelineEntry, ident.Approval}

// Redact takes the content out of all entries of a record, for good, and writes an entry for each that tells that, and
// why. Its digest stays, so that the chain holds, and tells nothing of the content, since its salt goes too. The claims
// of sources on the record go too, and what their runs told of it. It returns the number of entries. Failures:
// errs.Invalid if there is no reason, or the record is of a kind that keeps its past; errs.NotFound if the journal
// knows nothing of the record.
func (tx *Tx) Redact(ctx context.Context, record ident.ID, reason string) (int, error) {
	switch {
	case reason == "":
		return 0, errs.New(errs.Invalid, "a redaction needs a reason: the journal keeps it")
	case !slices.Contains(redactable, record.Kind()):
		return 0, errs.New(errs.Invalid, "%s is a %s, whose past the graph and its history are made of: what is redacted are people, accounts, tokens, votes and comments", record, record.Kind().Noun())
	case !IsRedaction(tx.Verb):
		return 0, errors.New("a redaction under the verb " + tx.Verb)
	}
	all, err := tx.Entry.Query().Where(entry.RecordID(record)).Order(entry.ByID(sql.OrderAsc())).Select(entry.FieldID, entry.FieldSubjectID, entry.FieldSalt).All(ctx)
	if err != nil {
		return 0, err
	}
	if len(all) == 0 {
		return 0, errs.New(errs.NotFound, "the journal has no entry of %s", record)
	}
	n := 0
	for _, e := range all {
		if e.Salt == nil { // it was redacted before
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE entry SET before = NULL, after = NULL, salt = NULL WHERE id = $1", int64(e.ID)); err != nil {
			return 0, err
		}
		n++
		tx.record.note(&written{
			id: e.ID, subject: e.SubjectID, operation: domain.Updated, before: map[string]any{"reason": nil},
			after: map[string]any{"id": e.ID.String(), "reason": reason},
		})
	}
	return n, tx.forgetClaims(ctx, record)
}

// forgetClaims takes away what sources said of a record, and what their runs told of it.
func (tx *Tx) forgetClaims(ctx context.Context, record ident.ID) error {
	claimed, err := tx.dropClaims(ctx, record)
	if err != nil {
		return err
	}
	said := map[string][]string{`"id":"` + record.String() + `"`: nil} // a part of a step, by the source of its run
	for _, key := range claimed {
		text, err := json.Marshal(key.ExternalID)
		if err != nil {
			return err
		}
		part := `"externalId":` + string(text)
		said[part] = append(said[part], key.Source)
	}
	holds := "instr(step, $1) > 0"
	if tx.IsPostgres() {
		holds = "strpos(step, $1) > 0"
	}
	for _, key := range claimed { // what was read of the source and not applied yet may have more of it
		if _, err := tx.ExecContext(ctx, "DELETE FROM x_run_input WHERE run IN (SELECT id FROM x_run WHERE source = $1)", key.Source); err != nil {
			return err
		}
	}
	for part, sources := range said {
		if sources == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM x_run_row WHERE "+holds, part)
		}
		for _, source := range sources {
			_, err = tx.ExecContext(ctx, "DELETE FROM x_run_row WHERE "+holds+" AND run IN (SELECT id FROM x_run WHERE source = $2)", part, source)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropClaims takes away what sources said of a record, and returns the keys by which they know it.
func (tx *Tx) dropClaims(ctx context.Context, record ident.ID) (keys []domain.ExternalKey, err error) {
	rows, err := tx.QueryContext(ctx, "DELETE FROM x_claim WHERE record = $1 RETURNING source, key", int64(record))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var key domain.ExternalKey
		if err := rows.Scan(&key.Source, &key.ExternalID); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}
