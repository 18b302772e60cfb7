// Package consent asks for consent to each write after which something in service is DOWN that was not, whatever the
// verb. It judges at the end of the transaction, over the graph exactly as it is and as it will be, and remembers what
// was consented to. It refuses what nobody accepts.
package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

const (
	mostNamed      = 10    // CIs that a refusal names
	mostListed     = 100   // CIs whose ids it lists
	mostRemembered = 1_000 // CIs for which a consent is kept
)

// Guard lets a store judge each write by its consequences, which the graph of feed shows.
func Guard(s *store.Store, feed *journal.Feed) {
	s.Judge(func(ctx context.Context, tx *store.Tx) error {
		ahead, ok, err := feed.Ahead(ctx, tx)
		if err != nil || !ok {
			return err
		}
		c := impact.ConsequencesOf(ahead.Before, ahead.After, ahead.Renewed)
		switch {
		case c.IsEmpty():
			return nil
		case tx.Consent.Reason != "" && (!tx.Consent.IsOfNow || len(c.ByItself) == 0):
			return remember(ctx, tx, ahead.Revision, c)
		}
		return refuse(ctx, tx, ahead.After, c)
	})
}

// remember writes down at which CIs it begins, and why that was accepted.
func remember(ctx context.Context, tx *store.Tx, revision int64, c impact.Consequences) error {
	broken := c.Broken[:min(len(c.Broken), mostRemembered)]
	rows := make([]*ent.ConsequenceCreate, len(broken))
	for i, id := range broken {
		_, isNow := slices.BinarySearch(c.Now, id)
		rows[i] = tx.Consequence.Create().SetCiID(id).SetRevision(revision).SetReason(tx.Consent.Reason).SetIsNow(isNow).SetCreatedAt(tx.Now)
	}
	return tx.Consequence.CreateBulk(rows...).Exec(ctx)
}

// refuse says what would fall, and the way out.
func refuse(ctx context.Context, tx *store.Tx, after *topology.Snapshot, c impact.Consequences) error {
	hidden, err := sight.Within(ctx, tx.Client())
	if err != nil {
		return err
	}
	byItself, err := tell(ctx, tx, after, c.ByItself, hidden)
	if err != nil {
		return err
	}
	now, err := tell(ctx, tx, after, c.Now, hidden)
	if err != nil {
		return err
	}
	accept := "or plan it so that it is accepted, by acceptConsequences"
	if tx.Consent.Field != nil {
		accept = "or say by acceptConsequences why it is accepted"
	}
	var refusals []error
	if byItself.n > 0 {
		refusals = append(refusals, byItself.refusal(errs.Consequences, tx.Consent.Field,
			"this would take %s DOWN though nothing failed: %s: first give them what takes the place of what goes, take the need away, or edit their dependency groups; "+accept))
	}
	if now.n > 0 {
		refusals = append(refusals, now.refusal(errs.FallsNow, tx.Consent.Field,
			"as things are this would take %s DOWN, by open incidents or changes that are being carried out: %s: wait for their end; "+accept))
	}
	return errors.Join(refusals...)
}

// told is what a refusal may say of CIs.
type told struct {
	n       int
	said    string
	records []int64
}

// tell names CIs, services first. It counts those that are hidden.
func tell(ctx context.Context, tx *store.Tx, s *topology.Snapshot, ids []ident.ID, hidden map[ident.ID]bool) (t told, err error) {
	var services, others []ident.ID
	for _, id := range ids {
		switch v, _ := s.Index(id); {
		case hidden[id]:
		case s.IsService(v):
			services = append(services, id)
		default:
			others = append(others, id)
		}
	}
	seen := slices.Concat(services, others)
	t.n = len(ids)
	for _, id := range seen[:min(len(seen), mostListed)] {
		t.records = append(t.records, int64(id))
	}
	named := seen[:min(len(seen), mostNamed)]
	var rows []*ent.CI
	if len(named) > 0 {
		var err error
		if rows, err = tx.CI.Query().Where(ci.IDIn(named...)).Select(ci.FieldName).All(ctx); err != nil {
			return t, err
		}
	}
	var parts []string
	for _, id := range named {
		if i := slices.IndexFunc(rows, func(row *ent.CI) bool { return row.ID == id }); i >= 0 {
			parts = append(parts, fmt.Sprintf("%s (%s)", rows[i].Name, id))
		}
	}
	if more := len(seen) - len(named); more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	if n := len(ids) - len(seen); n > 0 {
		parts = append(parts, fmt.Sprintf("%d that you may not see", n))
	}
	t.said = strings.Join(parts, ", ")
	return t, nil
}

func (t told) refusal(code errs.Code, field []string, format string) error {
	count := "1 CI"
	if t.n != 1 {
		count = fmt.Sprintf("%d CIs", t.n)
	}
	e := errs.New(code, format, count, t.said).At(field...)
	e.Records = t.records
	return e
}
