package servicelevel

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/servicelevelmark"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	rule "github.com/linchpin-cmdb/linchpin/internal/rule/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Settle writes the marks that the stopwatches of records have passed and that are not written yet, and says so in
// their timelines. The records must be locked; so no mark is ever written twice.
func Settle(ctx context.Context, tx *store.Tx, subjects ...Subject) error {
	all, err := Levels(ctx, tx.Client(), subjects, tx.Now)
	if err != nil {
		return err
	}
	due, err := unwritten(ctx, tx.Client(), subjects, all)
	if err != nil || len(due) == 0 {
		return err
	}
	var marks []*ent.ServiceLevelMarkCreate
	var said []*ent.TimelineEntryCreate
	for _, m := range due {
		marks = append(marks, tx.ServiceLevelMark.Create().SetRecordID(m.record).SetTargetID(m.target.ID).SetMetric(m.target.Metric).
			SetPercent(m.percent).SetReachedAt(m.at))
		said = append(said, tx.TimelineEntry.Create().SetRecordID(m.record).SetKind(domain.ServiceLevel).SetBody(Said(m.target, m.percent, m.at)).
			SetActor(auth.System.Name).SetCreatedAt(tx.Now))
	}
	if err := tx.ServiceLevelMark.CreateBulk(marks...).Exec(ctx); err != nil {
		return err
	}
	return tx.TimelineEntry.CreateBulk(said...).Exec(ctx)
}

// mark is a share of a target's duration that a stopwatch has passed.
type mark struct {
	record  ident.ID
	target  *ent.ServiceLevelTarget
	percent int
	at      time.Time
}

// Said words what a timeline says of a stopwatch that passed a share of a target's duration.
func Said(target *ent.ServiceLevelTarget, percent int, reached time.Time) string {
	promised, at := time.Duration(target.Seconds)*time.Second, reached.UTC().Format("2006-01-02 15:04:05")
	if percent >= 100 {
		return fmt.Sprintf("%s is breached: the %s promised were over at %s UTC.", target.Name, Spoken(promised), at)
	}
	return fmt.Sprintf("%s: %d %% of the %s promised were over at %s UTC.", target.Name, percent, Spoken(promised), at)
}

// Spoken words a length of time as people write it: 4h, 1h30m.
func Spoken(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// unwritten returns the marks that are passed and not written.
func unwritten(ctx context.Context, c *ent.Client, subjects []Subject, all map[ident.ID][]Level) ([]mark, error) {
	var due []mark
	var ids []ident.ID
	for _, one := range subjects {
		for _, level := range all[one.ID] {
			for _, m := range level.Marks {
				if m.IsReached {
					due = append(due, mark{one.ID, level.Target, m.Percent, *m.At})
					ids = append(ids, one.ID)
				}
			}
		}
	}
	if len(due) == 0 {
		return nil, nil
	}
	rows, err := c.ServiceLevelMark.Query().Where(servicelevelmark.RecordIDIn(ids...)).All(ctx)
	if err != nil {
		return nil, err
	}
	type key struct {
		record, target ident.ID
		percent        int
	}
	written := make(map[key]bool, len(rows))
	for _, row := range rows {
		written[key{row.RecordID, row.TargetID, row.Percent}] = true
	}
	missing := due[:0]
	for _, m := range due {
		if !written[key{m.record, m.target.ID, m.percent}] {
			missing = append(missing, m)
		}
	}
	return missing, nil
}

const (
	passEvery = 5 * time.Second
	atOnce    = 500 // records
)

// Watch writes marks as they come due, until ctx ends. Any number of servers may watch one database.
func (p *Practice) Watch(ctx context.Context, log *slog.Logger) {
	var seen int64
	var next time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(passEvery + rand.N(passEvery)): // servers take turns
		}
		revision, err := p.store.Revision(ctx)
		if err == nil && (revision != seen || !time.Now().Before(next)) {
			if err = safe.Call(func() (err error) { next, err = p.Pass(ctx); return err }); err == nil {
				seen = revision
			}
		}
		if err != nil && ctx.Err() == nil {
			log.Warn("service levels were not looked at", "error", err)
		}
	}
}

// Pass writes the marks that are due for records whose clocks may go, and says when the next will be unless something
// changes. Records whose clocks stand need none: their marks were written when they came to stand.
func (p *Practice) Pass(ctx context.Context) (next time.Time, err error) {
	now := p.store.Now(ctx)
	next = now.Add(time.Hour)
	promised, err := loadPromises(ctx, p.store.Read)
	if err != nil {
		return next, store.Translate(err)
	}
	for of := range promised.targets {
		soonest, err := p.pass(ctx, promised, of, now)
		if err != nil {
			return next, store.Translate(err)
		}
		if soonest != nil && soonest.Before(next) {
			next = *soonest
		}
	}
	return next, nil
}

// pass writes the marks that are due for records of a type, and says when the next will be.
func (p *Practice) pass(ctx context.Context, promised *promises, of domain.RecordType, now time.Time) (next *time.Time, err error) {
	for last := ident.ID(0); ; {
		running, err := sources[of].running(ctx, p.store.Read, rule.RunningStates(of), last, atOnce)
		if err != nil || len(running) == 0 {
			return next, err
		}
		last = running[len(running)-1].ID
		all, err := promised.measure(ctx, p.store.Read, running, now)
		if err != nil {
			return nil, err
		}
		for _, levels := range all {
			for _, level := range levels {
				for _, m := range level.Marks {
					if m.At != nil && !m.IsReached && (next == nil || m.At.Before(*next)) {
						next = m.At
					}
				}
			}
		}
		due, err := unwritten(ctx, p.store.Read, running, all)
		if err != nil {
			return nil, err
		}
		if err := p.settle(ctx, of, due); err != nil {
			return nil, err
		}
	}
}

// settle writes marks that are due, unless another server was faster.
func (p *Practice) settle(ctx context.Context, of domain.RecordType, due []mark) error {
	if len(due) == 0 {
		return nil
	}
	var ids []ident.ID
	for _, m := range due {
		ids = append(ids, m.record)
	}
	_, err := store.Write(ctx, p.store, auth.System.By("service_level.mark"), func(ctx context.Context, tx *store.Tx) (int, error) {
		locked, err := sources[of].lock(ctx, tx, ids)
		if err != nil {
			return 0, err
		}
		return len(locked), Settle(ctx, tx, locked...)
	})
	return err
}
