package pgconn

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

// waits are how long a connection waits for a host that says nothing. Their names in a DSN are those of libpq, which
// lib/pq does not know, and answer_timeout.
type waits struct {
	answer    time.Duration // for the answer to a statement that is not said to be long; 0: as for any
	user      time.Duration // until the host confirms what was sent (TCP_USER_TIMEOUT); 0: as the system has it
	keepAlive net.KeepAliveConfig
}

var usualWaits = waits{
	answer: 15 * time.Second, user: 10 * time.Second,
	keepAlive: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3},
}

// own are the settings that lib/pq would hand to the server.
var own = []string{"answer_timeout", "tcp_user_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count"}

// takeWaits takes the waits out of a configuration.
func takeWaits(cfg *pq.Config) (w waits, err error) {
	w = usualWaits
	for _, name := range own {
		text, isSet := cfg.Runtime[name]
		if !isSet {
			continue
		}
		delete(cfg.Runtime, name)
		if name == "answer_timeout" {
			d, ok := serverDuration(text)
			if !ok {
				return w, fmt.Errorf("answer_timeout is %q: write a length of time, such as 15s, or 0 for the longest wait", text)
			}
			w.answer = d
			continue
		}
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return w, fmt.Errorf("%s is %q: write a whole number", name, text)
		}
		switch seconds := time.Duration(n) * time.Second; name {
		case "tcp_user_timeout":
			w.user = time.Duration(n) * time.Millisecond
		case "keepalives_idle":
			w.keepAlive.Idle = seconds
		case "keepalives_interval":
			w.keepAlive.Interval = seconds
		case "keepalives_count":
			w.keepAlive.Count = int(n)
		}
	}
	return w, nil
}

// Plain returns a URL without the settings that only this package knows, for lib/pq's own connections.
func Plain(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	query := u.Query()
	for _, name := range own {
		query.Del(name)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// Silence is what the connections to one server know together of its silence: once one of them has waited in vain, none
// of those that have not heard anything since is used again, or each would wait for as long. The zero value is of
// connections that know nothing yet.
type Silence struct{ since atomic.Int64 } // Unix nanoseconds

func (s *Silence) note() { s.since.Store(time.Now().UnixNano()) }

// Together makes the connections of several pools learn of silence from each other.
func Together(s *Silence) Option { return func(c *Connector) { c.silent = s } }

// Prompt waits for answers for the answer_timeout of the DSN, 15 s by default, unless the statement's context is of
// [Patient].
func Prompt() Option { return func(c *Connector) { c.isPrompt = true } }

type patientKey struct{}

// Patient returns a context whose statements may take long: for their answers a connection waits as if it were not
// [Prompt].
func Patient(ctx context.Context) context.Context { return context.WithValue(ctx, patientKey{}, true) }

// hurry sets how long the server may be silent from now on. The context of the open transaction says it for all of its
// statements.
func (c *conn) hurry(ctx context.Context) {
	isPatient := ctx.Value(patientKey{}) != nil || c.tx != nil && c.tx.Value(patientKey{}) != nil
	limit := c.wire.longest
	if c.isPrompt && !isPatient && c.waits.answer > 0 && (limit <= 0 || c.waits.answer < limit) {
		limit = c.waits.answer
	}
	c.wire.tolerate(limit)
}
