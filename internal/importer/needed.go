package importer

import (
	"context"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// phase writes the units of a kind, and keeps those that would take something in service DOWN: they are tried again
// once the rest is written.
type phase[T unit] struct {
	write batch[T]
	late  []T
	why   map[T]string
}

// isNeeded reports whether a batch was refused because something in service would be DOWN by it.
func isNeeded(err error) bool {
	code := errs.CodeOf(err)
	return code == errs.Consequences || code == errs.FallsNow
}

// divide writes the halves of a batch that was refused for what it takes DOWN, and puts a single unit off.
func (p *phase[T]) divide(ctx context.Context, a *applying, live []T, refused error) error {
	if half := len(live) / 2; half > 0 {
		if err := writeBatch(ctx, a, slices.Clone(live[:half]), p); err != nil {
			return err
		}
		return writeBatch(ctx, a, slices.Clone(live[half:]), p)
	}
	if p.why == nil {
		p.why = map[T]string{}
	}
	p.late, p.why[live[0]] = append(p.late, live[0]), sentence(refused)
	return nil
}

// sentence returns what the first error in err says.
func sentence(err error) string {
	if all, ok := errs.All(err); ok {
		return all[0].Message
	}
	return err.Error()
}

// again tries what was put off, all of it at once first, and reports whether any of it was written.
func (p *phase[T]) again(ctx context.Context, a *applying) (bool, error) {
	late := p.late
	if p.late = nil; len(late) == 0 || a.failed {
		return false, nil
	}
	err := writeBatch(ctx, a, slices.Clone(late), p)
	a.failed = err != nil
	return len(p.late) < len(late), err
}

// leave notes what stays as it was.
func (p *phase[T]) leave(a *applying) {
	for _, u := range p.late {
		r, kind, said := u.about()
		a.left[r] = true
		a.result.Written.add(kind, IsNeeded)
		a.result.Conflicts = append(a.result.Conflicts, Notice{
			Origin: r.origin, Kind: Needed, ExternalID: r.key, Reason: fmt.Sprintf("%s stays as it was: %s", said, p.why[u]),
		})
	}
}

// insistent is a phase that can be tried again.
type insistent interface {
	again(ctx context.Context, a *applying) (bool, error)
	leave(a *applying)
}

// insist tries what was put off as long as that helps: one unit may need another of a later phase.
func (a *applying) insist(ctx context.Context, phases ...insistent) error {
	for helps := true; helps && !a.failed; {
		helps = false
		for _, p := range phases {
			wrote, err := p.again(ctx, a)
			if err != nil {
				return err
			}
			helps = helps || wrote
		}
	}
	for _, p := range phases {
		p.leave(a)
	}
	return nil
}
