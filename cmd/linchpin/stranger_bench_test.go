package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// strangers runs a client of its own process: a line on standard input says what it does and to which address, over and
// over until an empty line: it opens 200 sockets and says nothing, sends bodies of 1 MiB or guesses passwords, up to
// 400 a second or, by flood-bodies and flood-passwords, without a pause. Then it says how often.
func strangers() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var what, address string
		if _, err := fmt.Sscan(lines.Text(), &what, &address); err != nil {
			fail(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		var done atomic.Int64
		var all sync.WaitGroup
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
		post := func(path, kind string, body io.Reader) {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, address+path, body)
			if err != nil {
				fail(err)
			}
			r.Header.Set("Content-Type", kind)
			if response, err := client.Do(r); err == nil {
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
			done.Add(1)
		}
		again := func(workers int, do func()) {
			for range workers {
				all.Go(func() {
					for ctx.Err() == nil {
						do()
					}
				})
			}
		}
		kind, isFlood := strings.CutPrefix(what, "flood-")
		pause := func() {
			if !isFlood {
				time.Sleep(10 * time.Millisecond) // four do so
			}
		}
		switch kind {
		case "sockets":
			again(200, func() {
				conn, _, err := websocket.Dial(ctx, strings.Replace(address, "http:", "ws:", 1)+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // a socket has none
				done.Add(1)
				if err == nil {
					_, _, _ = conn.Read(ctx)
					_ = conn.CloseNow()
				}
				select { // one that is refused comes again, as clients do
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			})
		case "bodies":
			again(4, func() { post("/graphql", "application/json", strings.NewReader(strings.Repeat(" ", 1<<20))); pause() })
		case "passwords":
			form := url.Values{"name": {"root"}, "password": {"wrong horse battery staple"}}.Encode()
			again(4, func() { post("/auth/sign-in", "application/x-www-form-urlencoded", strings.NewReader(form)); pause() })
		}
		lines.Scan()
		stop()
		all.Wait()
		fmt.Println(done.Load())
	}
}

// BenchmarkStrangers shows what somebody who has signed in notices of what strangers do. Three kinds of rounds take
// turns, as those of BenchmarkBystander. The bar is a p99 of 1.2 times that beside an attack of the neighbour.
func BenchmarkStrangers(b *testing.B) {
	for _, what := range []string{"sockets", "bodies", "passwords", "flood-bodies", "flood-passwords"} {
		b.Run(what, func(b *testing.B) {
			var at [2]*process
			for i := range at {
				p, err := launch(b.TempDir(), homeless(b), "--dev=false")
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(p.kill)
				at[i] = p
			}
			cookie := signedIn(b, at[0])
			asker, foe := newPeer(b, "bystander"), newPeer(b, "strangers")
			besideFoes(b, at[0], at[1], func() string { return at[0].url + " Cookie: " + cookie }, asker, foe, func(attacked *process) string { return what + " " + attacked.url })
		})
	}
}

// guesses lets 1,000 wrong passwords be tried from one network, half of them for names that there are not, and returns
// how many were looked at.
func guesses(t testing.TB, p *process) (hashed int) {
	t.Helper()
	for n := range 1000 {
		name := "root"
		if n%2 == 1 {
			name = fmt.Sprint("guess", n)
		}
		status, _ := sendForm(t, p.url+"/auth/sign-in", url.Values{"name": {name}, "password": {"wrong horse battery staple"}}, "")
		switch status {
		case http.StatusUnauthorized:
			hashed++
		case http.StatusTooManyRequests:
		default:
			t.Fatalf("a wrong password is answered %d", status)
		}
	}
	return hashed
}

func Test12AThousandGuessesHashAHundredPasswordsAtMost(t *testing.T) {
	p := serve(t, "--dev=false")
	cookie := signedIn(t, p)
	if hashed := guesses(t, p); hashed == 0 || hashed > 100 {
		t.Errorf("%d passwords were hashed", hashed)
	}
	var a struct {
		Data struct{ SignIns []json.RawMessage }
	}
	e := send(t, http.MethodPost, p.url+"/graphql", operation(t, `{ signIns { outcome count } }`), "Cookie: "+cookie)
	if err := json.Unmarshal([]byte(e.body), &a); err != nil || len(a.Data.SignIns) == 0 || len(a.Data.SignIns) > 4 { // an hour may have ended
		t.Errorf("the log of sign-ins has %d rows: %s", len(a.Data.SignIns), e.body)
	}
}
