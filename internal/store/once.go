package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Key names a request that takes effect once, however often it is sent and to whichever server.
type Key struct {
	Actor string            // auth.Actor.Key
	Name  string            // chosen by the actor
	Body  [sha256.Size]byte // digest of the request; the same name with another body is errs.KeyReused
	// Rights tells what the actor may do and see: warnings, which name records, are told again to the same rights
	// alone.
	Rights []byte
}

// once is the place of a context's writes within their request.
type once struct {
	key    Key
	step   string
	writes atomic.Int32
}

type onceKey struct{}

// Once returns a context whose writes happen once for the key. A request may have several steps, each with a name of
// its own. The outcome of a step, a record or a refusal, commits together with its writes, and the same step taken
// again has the same outcome.
func Once(ctx context.Context, key Key, step string) context.Context {
	return context.WithValue(ctx, onceKey{}, &once{key: key, step: step})
}

// Anew returns a context whose writes have no key: for work of many writes, which is itself done once.
func Anew(ctx context.Context) context.Context {
	return context.WithValue(ctx, onceKey{}, (*once)(nil))
}

// next returns the name of the next call of Write, or "" if there is no key. Writes of one step come in the same order
// each time.
func (o *once) next() string {
	if o == nil {
		return ""
	}
	if n := o.writes.Add(1); n > 1 {
		return o.step + " " + strconv.Itoa(int(n))
	}
	return o.step
}

// outcome is the decision of a step: a record or a refusal.
type outcome struct {
	Value    json.RawMessage  `json:"value,omitempty"`
	Refused  []refusal        `json:"refused,omitempty"`
	Warnings []domain.Warning `json:"warnings,omitempty"`
	Rights   []byte           `json:"rights,omitempty"` // of the actor who was warned, or was told of other records
}

type refusal struct {
	Code    errs.Code `json:"code"`
	Message string    `json:"message"`
	Field   []string  `json:"field,omitempty"`
	Records []int64   `json:"records,omitempty"`
}

var errKeyReused = errs.New(errs.KeyReused, "the idempotency key was used with another request: take a new key for each request, and the same for its retries alone")

// decideOnce runs decide, unless the key's step has an outcome: then it returns that, as replayed. The key's row stays
// locked until the transaction ends, so that others with the same key wait for it. A refusal undoes what decide wrote,
// and is an outcome that the transaction has to commit.
func decideOnce[T any](ctx context.Context, tx *Tx, key Key, step string, now time.Time, decide func(context.Context, *Tx) (T, error)) (value T, replayed bool, refused, err error) {
	outcomes, err := claim(ctx, tx, key, now)
	if err != nil {
		return value, false, nil, err
	}
	if known, ok := outcomes[step]; ok {
		if bytes.Equal(known.Rights, key.Rights) {
			tx.warnings = known.Warnings
		} else {
			known.forget()
		}
		value, refused, err = tell[T](known)
		return value, true, refused, err
	}
	if _, err := tx.ExecContext(ctx, "SAVEPOINT decision"); err != nil {
		return value, false, nil, err
	}
	decided := outcome{}
	value, err = decide(ctx, tx)
	if refused = isRefusal(err, key.Rights, &decided); refused == nil {
		if err == nil {
			decided.Value, err = json.Marshal(value)
			decided.Warnings = tx.warnings
			if len(tx.warnings) > 0 {
				decided.Rights = key.Rights
			}
		}
		if err != nil {
			return value, false, nil, err
		}
	} else {
		if _, err := tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT decision"); err != nil {
			return value, false, nil, errors.Join(refused, err)
		}
		tx.record.forget()
		tx.warnings = nil
	}
	outcomes[step] = decided
	text, err := json.Marshal(outcomes)
	if err != nil {
		return value, false, nil, err
	}
	_, err = tx.ExecContext(ctx, "UPDATE x_once SET outcomes = $1 WHERE actor = $2 AND key = $3", string(text), key.Actor, key.Name)
	return value, false, refused, err
}

// isRefusal returns err in the vocabulary of errs, and writes it into an outcome, if a person can mend all of it: the
// rules have decided, and trying again is no use. Otherwise it returns nil.
func isRefusal(err error, rights []byte, into *outcome) error {
	translated := Translate(err)
	all, ok := errs.All(translated)
	if !ok {
		return nil
	}
	for _, e := range all {
		if !e.Code.Mendable() {
			return nil
		}
		if len(e.Records) > 0 {
			into.Rights = rights
		}
		into.Refused = append(into.Refused, refusal{e.Code, e.Message, e.Field, e.Records})
	}
	return translated
}

// forget takes out of an outcome what names records that it is about, for whoever has other rights than it was for.
func (o *outcome) forget() {
	for i, r := range o.Refused {
		if len(r.Records) > 0 {
			o.Refused[i].Records, o.Refused[i].Message = nil, "refused; what it was about was told to other rights than you have now: ask again with a new idempotency key"
		}
	}
}

// tell returns a known outcome as decide returned it.
func tell[T any](known outcome) (value T, refused, err error) {
	for _, r := range known.Refused {
		refused = errors.Join(refused, &errs.Error{Code: r.Code, Message: r.Message, Field: r.Field, Records: r.Records})
	}
	if refused == nil {
		err = json.Unmarshal(known.Value, &value)
	}
	return value, refused, err
}

// claim locks the key's row, which it makes if there is none, and returns its outcomes by step.
func claim(ctx context.Context, tx *Tx, key Key, now time.Time) (map[string]outcome, error) {
	rows, err := tx.QueryContext(ctx, `INSERT INTO x_once (actor, key, body, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (actor, key) DO UPDATE SET key = excluded.key RETURNING body, outcomes`, key.Actor, key.Name, key.Body[:], now.Truncate(time.Microsecond))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		return nil, errors.Join(errors.New("an idempotency key without a row"), rows.Err())
	}
	var body []byte
	var text string
	if err := rows.Scan(&body, &text); err != nil {
		return nil, err
	}
	if string(body) != string(key.Body[:]) {
		return nil, errKeyReused
	}
	outcomes := map[string]outcome{}
	return outcomes, errors.Join(json.Unmarshal([]byte(text), &outcomes), rows.Close())
}
