package server

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
)

const (
	socketLimit   = 50 // open at once for one caller
	strangerLimit = 20 // open at once from one network that have not said who calls
	allLimit      = 5_000
)

// share bounds how many of something each holder has open.
type share struct {
	limit       int
	what, among string // in words: so many sockets for one caller

	mu   sync.Mutex
	open map[string]int // by holder
}

func newShare(limit int, what, among string) *share {
	return &share{limit: limit, what: what, among: among, open: map[string]int{}}
}

// enter counts one more of a holder and returns "". If there are too many, it returns a text that says so. Each that
// has entered must leave.
func (s *share) enter(holder string) (full string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[holder] >= s.limit {
		return fmt.Sprintf("too many %s are open: at most %d for one %s", s.what, s.limit, s.among)
	}
	s.open[holder]++
	return ""
}

func (s *share) leave(holder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[holder]--; s.open[holder] == 0 {
		delete(s.open, holder)
	}
}

// seats bound the open sockets: for each caller and, while it is not known who calls, for each network. Strangers take
// no seat of a caller.
type seats struct{ callers, networks *share }

func newSeats() seats {
	return seats{newShare(socketLimit, "sockets", "caller"), newShare(strangerLimit, "sockets that have not said who calls", "network")}
}

// seat is one socket's place in a share.
type seat struct {
	share  *share
	holder string
}

// of returns the seat of the caller of ctx, or of the network of an address.
func (s seats) of(ctx context.Context, address string) seat {
	if actor, ok := auth.From(ctx); ok {
		return seat{s.callers, actor.Key()}
	}
	return seat{s.networks, network(address)}
}

func (s seat) take() (full string) { return s.share.enter(s.holder) }

func (s seat) leave() { s.share.leave(s.holder) }

// network returns the prefix that the addresses of one subscriber have in common: 24 bits of IPv4, 56 of IPv6.
func network(address string) string {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return address
	}
	ip, bits := at.Addr().Unmap().WithZone(""), 56
	if ip.Is4() {
		bits = 24
	}
	prefix, err := ip.Prefix(bits)
	if err != nil {
		return address
	}
	return prefix.String()
}
