package guard

import "runtime"

// smallRequest is what anybody reads without waiting for a turn: it takes a fraction of a millisecond.
const smallRequest = 8 << 10

// turns are what may be spent at once on requests that nobody has admitted: a quarter of the processors, so that those who
// attack leave the others to everybody else.
type turns chan struct{}

func newTurns() turns { return make(turns, max(1, runtime.GOMAXPROCS(0)/4)) }

// take waits for a turn, which ends when what it gives is called.
func (t turns) take() (done func()) {
	t <- struct{}{}
	return func() { <-t }
}

// Turn waits until a request of so many bytes may be read, and gives what ends its reading. Whoever waits for the peer
// meanwhile keeps others waiting.
func (g *Guard) Turn(bytes int) (done func()) {
	if bytes <= smallRequest {
		return func() {}
	}
	return g.turns.take()
}
