package journal

import (
	"context"
	"sync"
)

// Position is the place of a client in the events that it follows. The transport that delivers the events learns the
// revision of each, says after which one to go on, and is told why there are no more.
type Position struct {
	resume *int64

	mu   sync.Mutex
	told []int64
	why  error
}

type positionKey struct{}

// WithPosition returns a context whose follower notes the revision of each event, and resumes after a revision if one
// is given.
func WithPosition(ctx context.Context, resume *int64) (context.Context, *Position) {
	p := &Position{resume: resume}
	return context.WithValue(ctx, positionKey{}, p), p
}

// PositionOf returns the position of ctx. If ctx has none, it returns one that nobody reads.
func PositionOf(ctx context.Context) *Position {
	if p, ok := ctx.Value(positionKey{}).(*Position); ok {
		return p
	}
	return &Position{}
}

// After returns the later of the revision that the client asked for and the one that its connection resumes after.
func (p *Position) After(asked *int64) *int64 {
	if asked == nil || p.resume != nil && *p.resume > *asked {
		return p.resume
	}
	return asked
}

// Tell notes the revision of the event that is sent next.
func (p *Position) Tell(revision int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, revision)
}

// Next returns the revision of the next event that was received, in the order they were sent. If there is none, it
// returns false.
func (p *Position) Next() (revision int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.told) == 0 {
		return 0, false
	}
	revision, p.told = p.told[0], p.told[1:]
	return revision, true
}

// Fail notes why no event follows.
func (p *Position) Fail(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.why = why
}

// Failure returns the reason why no event follows those that were sent, or nil if nothing went wrong.
func (p *Position) Failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}
