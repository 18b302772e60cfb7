package incident

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	closeEvery  = time.Minute
	closeAtOnce = 200 // incidents in a transaction
)

// KeepClosing closes what has been resolved for an age, again and again until ctx ends. Any number of servers may do so
// for one database: they take turns, and each incident is closed once.
func (p *Practice) KeepClosing(ctx context.Context, age time.Duration, log *slog.Logger) {
	pause := func() time.Duration { return closeEvery + rand.N(closeEvery) }
	safe.Every(ctx, log, "closing resolved incidents", pause, func(ctx context.Context) error {
		_, err := p.CloseResolved(ctx, age)
		return err
	})
}

// CloseResolved closes the incidents that have been resolved for an age, by the clock of ctx, and says how many.
func (p *Practice) CloseResolved(ctx context.Context, age time.Duration) (closed int, err error) {
	isOver := func(now time.Time) *ent.IncidentQuery {
		return p.store.Read.Incident.Query().Where(incident.StateEQ(domain.IncidentResolved), incident.ResolvedAtLTE(now.Add(-age)))
	}
	for {
		// Most of the time there is nothing to write.
		if due, err := isOver(p.store.Now(ctx)).Exist(ctx); err != nil || !due {
			return closed, store.Translate(err)
		}
		n, err := store.Write(ctx, p.store, auth.System.By("incident.close"), func(ctx context.Context, tx *store.Tx) (int, error) {
			return closeBatch(ctx, tx, age)
		})
		closed += n
		if err != nil || n == 0 { // another server has the rest
			return closed, err
		}
	}
}

// closeBatch closes what has been resolved for an age and nobody else is writing.
func closeBatch(ctx context.Context, tx *store.Tx, age time.Duration) (int, error) {
	q := tx.Incident.Query().Where(incident.StateEQ(domain.IncidentResolved), incident.ResolvedAtLTE(tx.Now.Add(-age))).
		Order(ent.Asc(incident.FieldID)).Limit(closeAtOnce)
	if tx.IsPostgres() {
		q = q.ForUpdate(sql.WithLockAction(sql.SkipLocked))
	}
	over, err := q.All(ctx)
	if err != nil {
		return 0, err
	}
	for _, was := range over {
		to, err := lifecycle.Incident.Move(was.State, "closeIncident")
		if err != nil {
			return 0, err
		}
		if err := tx.Incident.UpdateOne(was).SetState(to).SetClosedAt(tx.Now).AddVersion(1).SetUpdatedAt(tx.Now).Exec(ctx); err != nil {
			return 0, err
		}
		said := fmt.Sprintf("Closed by itself: it stayed resolved for %s.", spoken(age))
		if err := ticket.Moved(ctx, tx, was.ID, was.State, to, said); err != nil {
			return 0, err
		}
	}
	return len(over), nil
}

// spoken writes a length of time as people say it: 7 days, 36h, 1h30m.
func spoken(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == day:
		return "a day"
	case d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	}
	return servicelevel.Spoken(d)
}
