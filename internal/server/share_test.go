package server_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/server"
)

// doorHeader names the caller to a server behind the door of behindADoor.
const doorHeader = "X-Door"

// behindADoor serves a world without sign-in, behind a door that knows some callers. It waits for slow peers for ever.
func behindADoor(t *testing.T) *world {
	t.Helper()
	w := sqliteWorld(t, func(c *server.Config) {
		c.IsDev = false
		c.Hasten(forever, forever, forever, forever, forever)
	})
	inner := server.New(w.config)
	l, err := server.Listen(t.Context(), "127.0.0.1:0", true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- server.ServeHastily(ctx, l, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if name := r.Header.Get(doorHeader); name != "" {
				r = r.WithContext(auth.With(r.Context(), auth.Actor{Name: name, Roles: []auth.Role{auth.Viewer}}))
			}
			inner.ServeHTTP(rw, r)
		}), forever, forever, forever, w.config.Log)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	w.host = l.Addr().String()
	return w
}

// fill opens sockets until one is refused, and returns those that are open.
func (w *world) fill(t *testing.T, headers ...string) (open []*client) {
	t.Helper()
	for len(open) <= 100 {
		c, status, err := w.tryDial(t, protocol, headers...)
		if err != nil {
			if status != http.StatusTooManyRequests {
				t.Fatalf("socket %d: %d %v", len(open)+1, status, err)
			}
			break
		}
		open = append(open, c)
	}
	return open
}

// canOpen waits until one more socket can be opened.
func (w *world) canOpen(t *testing.T, headers ...string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) { // the server hears of one that closes a moment later
		if _, _, err := w.tryDial(t, protocol, headers...); err == nil {
			return
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func Test13StrangersTakeNoSocketsFromKnownCallers(t *testing.T) {
	w := behindADoor(t)
	strangers := w.fill(t)
	if len(strangers) != 20 {
		t.Errorf("%d sockets of strangers are open", len(strangers))
	}
	if n := len(w.fill(t, doorHeader+": ada")); n != 50 {
		t.Errorf("a known caller has %d sockets, from the network of the strangers", n)
	}
	grace := w.dial(t, protocol, doorHeader+": grace")
	grace.send(`{"type":"connection_init"}`)
	grace.expect("connection_ack")

	elsewhere := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, 1)}}).DialContext}}
	conn, _, err := websocket.Dial(t.Context(), "ws://"+w.host+"/graphql", &websocket.DialOptions{Subprotocols: []string{protocol}, HTTPClient: elsewhere}) //nolint:bodyclose // a socket has none
	if err != nil {
		t.Errorf("a stranger of another network: %v", err)
	} else {
		_ = conn.CloseNow()
	}
	_ = strangers[0].Close(websocket.StatusNormalClosure, "")
	w.canOpen(t)
}

func TestASocketCountsForTheCallerOfItsConnectionInit(t *testing.T) {
	w := sqliteWorld(t, func(c *server.Config) { c.Hasten(forever, forever, forever, forever, forever) })
	begin := func(name string) *client {
		c := w.dial(t, protocol) // as dev, who has a seat for each
		c.send(`{"type":"connection_init","payload":{"Linchpin-Actor":"` + name + `"}}`)
		return c
	}
	var all []*client
	for range 50 {
		c := begin("greedy")
		c.expect("connection_ack")
		all = append(all, c)
	}
	if code := begin("greedy").closed(); code != websocket.StatusTryAgainLater {
		t.Errorf("the 51st: closed with %d", code)
	}
	if _, status, err := w.tryDial(t, protocol, "Linchpin-Actor: greedy"); err == nil || status != http.StatusTooManyRequests {
		t.Errorf("the 51st by its upgrade: %d", status)
	}
	begin("modest").expect("connection_ack")
	if n := len(w.fill(t)); n < 49 { // the one that was refused may be leaving
		t.Errorf("%d sockets of dev, whose seats were given up", n)
	}
	_ = all[0].Close(websocket.StatusNormalClosure, "")
	w.canOpen(t, "Linchpin-Actor: greedy")
}

func TestAddressesOfOneSubscriberAreOneNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7:1234":                    "192.0.2.0/24",
		"[::ffff:192.0.2.7]:1234":           "192.0.2.0/24",
		"[2001:db8:1:2ff:a::1]:1234":        "2001:db8:1:200::/56",
		"[2001:db8:1:201:ffff::9]:80":       "2001:db8:1:200::/56",
		"[2001:db8:1:301::1]:80":            "2001:db8:1:300::/56",
		"[fe80::1%eth0]:1":                  "fe80::/56",
		"127.0.0.1:0":                       "127.0.0.0/24",
		"@":                                 "@",
		"":                                  "",
		"localhost:http, or what tests say": "localhost:http, or what tests say",
	} {
		if got := server.Network(address); got != want {
			t.Errorf("%s: %s, not %s", address, got, want)
		}
	}
}
