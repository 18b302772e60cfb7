package journal

import (
	"context"
	"fmt"
	"iter"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

const (
	keptStates = 65_536 // transitions and their revisions in memory
	unwatched  = 64     // snapshots that may wait to be compared
)

// States returns, revision by revision and without end, the services whose operational state changed, after a revision
// or from now on. Only this process's memory holds them: a revision before its start, or too long ago, is a resync. It
// ends with ctx.
func (f *Feed) States(ctx context.Context, after *domain.RevisionToken) (iter.Seq[Told[[]impact.Transition]], error) {
	return follow(ctx, f, f.states, after, followed[[]impact.Transition]{
		older: func(context.Context, int64, int64) ([][]impact.Transition, error) { return nil, nil },
		mark:  func(revision int64, _ []impact.Transition) uint64 { return f.Token(ctx, revision).Mark },
	})
}

// shown is a snapshot that the graph has come to show. If isAnother, its history is not that of the one before.
type shown struct {
	*topology.Snapshot
	isAnother bool
}

// show hands a snapshot to the watch. If the watch is too far behind, it loses the oldest.
func (f *Feed) show(s shown) {
	for {
		select {
		case f.shown <- s:
			return
		default:
		}
		select {
		case lost := <-f.shown:
			s.isAnother = s.isAnother || lost.isAnother
		default:
		}
	}
}

// watch compares each snapshot with the one before.
func (f *Feed) watch(ctx context.Context, before *topology.Snapshot) {
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-f.shown:
			after := now.Snapshot
			if now.isAnother {
				f.states.restart(after.Revision())
				before = after
				continue
			}
			changed, err := transitions(before, after)
			if err != nil {
				f.log.Error("the operational states of a revision are not known", "revision", after.Revision(), "error", err)
				f.states.reset(after.Revision())
			} else {
				f.states.push(changed)
			}
			before = after
		}
	}
}

// transitions returns the transitions of one revision. A panic is a failure of this revision, not of the watch.
func transitions(before, after *topology.Snapshot) (changed []impact.Transition, err error) {
	if after.Revision() != before.Revision()+1 {
		return nil, fmt.Errorf("revision %d was compared last", before.Revision())
	}
	err = safe.Call(func() error { changed = impact.Transitions(before, after); return nil })
	return changed, err
}
