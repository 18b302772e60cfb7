package server

import "sync"

// share bounds how many of something each caller has open.
type share struct {
	limit int

	mu   sync.Mutex
	open map[string]int // by actor
}

func newShare(limit int) *share { return &share{limit: limit, open: map[string]int{}} }

// enter counts one more of an actor, unless there are too many. Who has entered leaves.
func (s *share) enter(actor string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[actor] >= s.limit {
		return false
	}
	s.open[actor]++
	return true
}

func (s *share) leave(actor string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[actor]--; s.open[actor] == 0 {
		delete(s.open, actor)
	}
}
