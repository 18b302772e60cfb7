package guard

import "runtime"

// smallRequest is the size up to which a request is read without a turn: it takes a fraction of a millisecond.
const smallRequest = 8 << 10

// turns bound the work at one time on requests that are not admitted yet: a quarter of the processors, so that an
// attack leaves the others to everybody else.
type turns chan struct{}

func newTurns() turns { return make(turns, max(1, runtime.GOMAXPROCS(0)/4)) }

// take waits for a turn, and returns a function that ends it.
func (t turns) take() (done func()) {
	t <- struct{}{}
	return func() { <-t }
}

// Turn waits until a request of so many bytes may be read, and returns a function that ends the turn. A caller that
// waits for the peer meanwhile keeps others waiting.
func (g *Guard) Turn(bytes int) (done func()) {
	if bytes <= smallRequest {
		return func() {}
	}
	return g.turns.take()
}
