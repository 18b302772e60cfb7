package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// balancer sends each request to one of some servers that were ready when they were last asked, every 200 ms. It tries
// no request twice.
type balancer struct {
	servers []atomic.Pointer[url.URL]
	isReady []atomic.Bool
	next    atomic.Uint32
	failed  atomic.Int64
}

// watch asks the i-th server until the test ends. A machine that is busy may answer late, and is ready all the same.
func (b *balancer) watch(t *testing.T, i int) {
	client := &http.Client{Timeout: startLimit}
	for t.Context().Err() == nil {
		answer, err := client.Get(b.servers[i].Load().String() + "/readyz")
		b.isReady[i].Store(err == nil && answer.StatusCode == http.StatusOK)
		if err == nil {
			_ = answer.Body.Close()
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for range b.servers {
		i := b.next.Add(1) % uint32(len(b.servers))
		if !b.isReady[i].Load() {
			continue
		}
		proxy := httputil.ReverseProxy{
			Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(b.servers[i].Load()) },
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
				b.failed.Add(1)
				http.Error(w, err.Error(), http.StatusBadGateway)
			},
		}
		proxy.ServeHTTP(w, r)
		return
	}
	b.failed.Add(1)
	http.Error(w, "no server is ready", http.StatusServiceUnavailable)
}

// TestARollingRestartFailsNobody stops and starts each of three servers while people write and ask through a balancer.
func TestARollingRestartFailsNobody(t *testing.T) {
	t.Parallel()
	database := storetest.PostgresAddress(t)
	start := func() *process { return serve(t, "--database", database, "--drain-delay", "5s") }
	servers := []*process{start(), start(), start()}
	b := &balancer{servers: make([]atomic.Pointer[url.URL], 3), isReady: make([]atomic.Bool, 3)}
	point := func(i int) {
		at, err := url.Parse(servers[i].url)
		if err != nil {
			t.Fatal(err)
		}
		b.servers[i].Store(at)
	}
	for i := range servers {
		point(i)
		b.isReady[i].Store(true)
		go b.watch(t, i)
	}
	front := httptest.NewServer(b)
	defer front.Close()
	asked := whileAsking(t, front.URL, func() {
		for i := range servers {
			if code, err := servers[i].stop(); code != 0 || err != nil {
				t.Errorf("a server ended with %d: %v", code, err)
			}
			servers[i] = start()
			point(i)
			for !b.isReady[i].Load() && t.Context().Err() == nil {
				time.Sleep(10 * time.Millisecond)
			}
		}
	})
	if failed := b.failed.Load(); failed > 0 || asked < 100 {
		t.Errorf("%d of %d failed", failed, asked)
	}
}

// whileAsking lets callers write and ask under an address while something is done, and returns how often. None of them
// may fail.
func whileAsking(t *testing.T, address string, do func()) int64 {
	t.Helper()
	var asked atomic.Int64
	ended := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				body := `{"query":"mutation { createTeam(input: {name: \"T` + time.Now().Format("150405.000000000") + `\"}) { team { id } userErrors { message } } }"}`
				if asked.Add(1)%2 == 0 {
					body = `{"query":"{ services(first: 1) { totalCount } }"}`
				}
				answer, err := http.Post(address+"/graphql", "application/json", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				text, _ := io.ReadAll(answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode != http.StatusOK || strings.Contains(string(text), `"errors"`) {
					t.Errorf("%d %s", answer.StatusCode, text)
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	do()
	close(ended)
	callers.Wait()
	return asked.Load()
}
