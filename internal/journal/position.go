package journal

import (
	"context"
	"sync"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

// Position is the place of a client in the events that it follows. The transport that delivers the events learns the
// revision of each, says after which one to go on, and is told why there are no more.
type Position struct {
	resume *domain.RevisionToken

	mu   sync.Mutex
	told []domain.RevisionToken
	why  error
}

type positionKey struct{}

// WithPosition returns a context whose follower notes the revision of each event, and resumes after a revision if one
// is given.
func WithPosition(ctx context.Context, resume *domain.RevisionToken) (context.Context, *Position) {
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

// After returns the latest of the revision and the token that the client asked for and of the one that its connection
// resumes after; nil: none is given.
func (p *Position) After(asked *int64, token *domain.RevisionToken) *domain.RevisionToken {
	latest := p.resume
	if token != nil && (latest == nil || token.Revision > latest.Revision) {
		latest = token
	}
	if asked != nil && (latest == nil || *asked > latest.Revision) {
		latest = &domain.RevisionToken{Revision: *asked}
	}
	return latest
}

// Tell notes the revision of the event that is sent next.
func (p *Position) Tell(t domain.RevisionToken) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, t)
}

// Next returns the revision of the next event that was received, in the order they were sent. If there is none, it
// returns false.
func (p *Position) Next() (t domain.RevisionToken, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.told) == 0 {
		return t, false
	}
	t, p.told = p.told[0], p.told[1:]
	return t, true
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
