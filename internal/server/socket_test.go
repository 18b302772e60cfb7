package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/linchpin-cmdb/linchpin/internal/server"
)

func TestASocketThatBreaksTheProtocolIsClosedWithItsCode(t *testing.T) {
	w := sqliteWorld(t, nil)
	const begin = `{"type":"connection_init"}`
	journal := `{"id":"1","type":"subscribe","payload":{"query":"subscription { journal { revision } }"}}`
	for name, c := range map[string]struct {
		messages []string
		code     websocket.StatusCode
	}{
		"no JSON":                           {[]string{begin, `{"type"`}, 4400},
		"no object":                         {[]string{begin, `["ping"]`}, 4400},
		"null":                              {[]string{begin, `null`}, 4400},
		"no type":                           {[]string{begin, `{}`}, 4400},
		"an unknown type":                   {[]string{begin, `{"type":"start","id":"1"}`}, 4400},
		"a type of the server":              {[]string{begin, `{"type":"connection_ack"}`}, 4400},
		"a type that is no string":          {[]string{begin, `{"type":1}`}, 4400},
		"an operation without id":           {[]string{begin, `{"type":"subscribe","payload":{"query":"{ revision }"}}`}, 4400},
		"an id that is no string":           {[]string{begin, `{"id":1,"type":"subscribe","payload":{"query":"{ revision }"}}`}, 4400},
		"an endless id":                     {[]string{begin, `{"id":"` + strings.Repeat("x", 257) + `","type":"subscribe","payload":{"query":"{ revision }"}}`}, 4400},
		"an operation without payload":      {[]string{begin, `{"id":"1","type":"subscribe"}`}, 4400},
		"an operation without query":        {[]string{begin, `{"id":"1","type":"subscribe","payload":{}}`}, 4400},
		"variables that are no object":      {[]string{begin, `{"id":"1","type":"subscribe","payload":{"query":"{ revision }","variables":[]}}`}, 4400},
		"complete without id":               {[]string{begin, `{"type":"complete"}`}, 4400},
		"an initialisation with a text":     {[]string{`{"type":"connection_init","payload":"x"}`}, 4400},
		"an operation before the beginning": {[]string{journal}, 4401},
		"an id twice":                       {[]string{begin, journal, journal}, 4409},
		"an id twice, long":                 {[]string{begin, strings.ReplaceAll(journal, `"1"`, `"`+strings.Repeat("ä", 128)+`"`), strings.ReplaceAll(journal, `"1"`, `"`+strings.Repeat("ä", 128)+`"`)}, 4409},
		"an end before the beginning":       {[]string{`{"type":"complete","id":"1"}`}, 4401},
		"a large ping before the beginning": {[]string{`{"type":"ping","payload":"` + strings.Repeat("x", 8<<10) + `"}`}, 1009},
		"a large beginning":                 {[]string{`{"type":"connection_init","payload":{"x":"` + strings.Repeat("x", 8<<10) + `"}}`}, 1009},
		"a large ping":                      {[]string{begin, `{"type":"ping","payload":"` + strings.Repeat("x", 8<<10) + `"}`}, 4400},
		"a large pong":                      {[]string{begin, `{"type":"pong","payload":"` + strings.Repeat("x", 8<<10) + `"}`}, 4400},
		"two beginnings":                    {[]string{begin, begin}, 4429},
		"a message beyond the limit":        {[]string{begin, `{"type":"ping","payload":{"x":"` + strings.Repeat("x", 1<<20) + `"}}`}, 1009},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			socket := w.dial(t, protocol)
			for _, m := range c.messages {
				socket.send(m)
			}
			if code := socket.closed(); code != c.code {
				t.Errorf("closed with %d, not %d", code, c.code)
			}
		})
	}
	t.Run("a binary message", func(t *testing.T) {
		t.Parallel()
		socket := w.connect(t)
		if err := socket.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)); err != nil {
			t.Fatal(err)
		}
		if code := socket.closed(); code != 4400 {
			t.Errorf("closed with %d", code)
		}
	})
	for _, unknown := range []string{"", "graphql-ws", "soap"} {
		t.Run("subprotocol "+unknown, func(t *testing.T) {
			t.Parallel()
			if code := w.dial(t, unknown).closed(); code != 4406 {
				t.Errorf("closed with %d", code)
			}
		})
	}
}

func TestASocketThatDoesNotBeginIsClosed(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, func(c *server.Config) { c.Hasten(brief, forever, forever, forever, forever) })
	if code := w.dial(t, protocol).closed(); code != 4408 {
		t.Errorf("closed with %d", code)
	}
}

func TestAPeerThatAnswersPingsStays(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, func(c *server.Config) { c.Hasten(forever, 20*time.Millisecond, time.Minute, time.Minute, forever) })
	c := w.connect(t)
	c.ask("1", fmt.Sprintf("subscription { journal(after: %d) { revision } }", w.write(t, "early")))
	written := make(chan struct{})
	go func() {
		defer close(written)
		for pings := 0; pings < 10; pings++ {
			select {
			case <-c.pinged:
			case <-t.Context().Done():
				return
			}
		}
		w.write(t, "late")
	}()
	c.expect("next")
	<-written // it may be told before its writer knows of it
}

// TestAPeerThatAnswersNoPingIsCut shows that the operations of a silent peer end, even if it takes what comes.
func TestAPeerThatAnswersNoPingIsCut(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, func(c *server.Config) { c.Hasten(forever, brief, brief, forever, forever) })
	conn := hold(t, w.host, "GET /graphql HTTP/1.1\r\nHost: "+w.host+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: "+protocol+"\r\n\r\n")
	if said, err := io.ReadAll(conn); isLate(err) || !strings.HasPrefix(string(said), "HTTP/1.1 101 ") || !strings.Contains(string(said), "\r\n\r\n\x89") {
		t.Errorf("%v %q", err, said) // 0x89 begins a ping
	}
}

func TestEveryOperationRunsOverASocket(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		before := w.write(t, "unheard")
		c := w.connect(t)
		c.send(`{"type":"ping","payload":{"a":1}}`)
		if m := c.expect("pong"); string(m.Payload) != `{"a":1}` {
			t.Errorf("pong %s", m.Payload)
		}
		c.send(`{"type":"pong"}`)
		c.send(`{"type":"complete","id":"none"}`)

		c.ask("q", "{ viewer { name } }")
		if m := c.expect("next"); string(m.Payload) != `{"data":{"viewer":{"name":"dev"}}}` || m.ID != "q" {
			t.Errorf("%s %s", m.ID, m.Payload)
		}
		c.expect("complete")

		c.ask("s", fmt.Sprintf("subscription { journal(after: %d) { entries { recordId operation actor } revision } }", before))
		c.ask("s2", "subscription { incidentChanged { revision } }")
		c.ask("m", `mutation { createTeam(input: {name: "first"}) { team { id } userErrors { code } } }`)
		seen := map[string][]string{}
		for len(seen["s"]) < 1 || len(seen["m"]) < 2 {
			m, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			seen[m.ID] = append(seen[m.ID], m.Type+string(m.Payload))
		}
		if !strings.Contains(seen["s"][0], `"operation":"CREATED","actor":"dev"`) || !strings.Contains(seen["m"][0], `"userErrors":[]`) || seen["m"][1] != "complete" {
			t.Errorf("%v", seen)
		}

		c.send(`{"type":"complete","id":"s"}`)
		c.send(`{"type":"ping"}`)
		c.expect("pong") // messages are taken in order: s is over
		w.write(t, "second")
		c.ask("s", "{ revision }") // the id is free again, and nothing of the first use follows
		if m := c.expect("next"); !strings.Contains(string(m.Payload), `{"revision":`) {
			t.Errorf("%s %s", m.ID, m.Payload)
		}
		c.expect("complete")
	})
}

func TestAnOperationThatIsRefusedEndsWithItsError(t *testing.T) {
	w := sqliteWorld(t, nil)
	c := w.connect(t)
	for query, code := range map[string]string{
		"{ cis { ":                          "GRAPHQL_PARSE_FAILED",
		"subscription { servers { name } }": "GRAPHQL_VALIDATION_FAILED",
		"subscription { __typename }":       "GRAPHQL_VALIDATION_FAILED",
		"subscription { journal { revision } ciChanged { revision } }":                                     "GRAPHQL_VALIDATION_FAILED",
		"subscription { journal @skip(if: true) { revision } }":                                            "GRAPHQL_VALIDATION_FAILED",
		"subscription { journal(after: -1) { revision } }":                                                 "BAD_USER_INPUT",
		`subscription { journal(after: "x") { revision } }`:                                                "BAD_USER_INPUT",
		"{ cis { nodes {" + strings.Repeat(" parent {", 15) + " id " + strings.Repeat("}", 18):             "QUERY_TOO_DEEP",
		`{ ciClass(code: "server") {` + strings.Repeat(" parent {", 15) + " id " + strings.Repeat("}", 17): "QUERY_TOO_DEEP",
	} {
		c.ask("x", query) // an id that an error has freed
		m := c.expect("error")
		var list []struct{ Extensions struct{ Code string } }
		if err := json.Unmarshal(m.Payload, &list); err != nil || len(list) == 0 || list[0].Extensions.Code != code {
			t.Errorf("%.60s: %s, not %s", query, m.Payload, code)
		}
	}
	c.ask("y", "{ revision }")
	if m := c.expect("next"); m.ID != "y" {
		t.Errorf("%s follows an error", m.ID)
	}
}

func TestACallerOpensNoMoreThanItsShare(t *testing.T) {
	w := sqliteWorld(t, func(c *server.Config) { c.Hasten(forever, forever, forever, forever, forever) })
	t.Run("subscriptions of a socket", func(t *testing.T) {
		before := w.write(t, "unheard")
		c := w.connect(t)
		journal := fmt.Sprintf("subscription { journal(after: %d) { revision } }", before) // whenever each begins
		for i := range 1000 {
			c.ask(fmt.Sprint(i), journal)
		}
		for i := 20; i < 1000; i++ {
			if m := c.expect("error"); m.ID != fmt.Sprint(i) || !strings.Contains(string(m.Payload), "RATE_LIMITED") {
				t.Fatalf("%d: %s %s", i, m.ID, m.Payload)
			}
		}
		c.send(`{"type":"complete","id":"7"}`)
		c.ask("again", journal)
		c.send(`{"type":"ping"}`)
		c.expect("pong") // messages are taken in order: 7 is over
		w.write(t, "heard")
		heard := map[string]bool{}
		for range 20 {
			heard[c.expect("next").ID] = true
		}
		if len(heard) != 20 || heard["7"] || !heard["again"] {
			t.Errorf("%v", heard)
		}
	})
	t.Run("sockets of a caller", func(t *testing.T) {
		var all []*client
		for range 50 {
			all = append(all, w.dial(t, protocol, "Linchpin-Actor: greedy"))
		}
		if _, status, err := w.tryDial(t, protocol, "Linchpin-Actor: greedy"); err == nil || status != http.StatusTooManyRequests {
			t.Errorf("the 51st: %d", status)
		}
		w.dial(t, protocol, "Linchpin-Actor: modest")
		_ = all[0].Close(websocket.StatusNormalClosure, "")
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) { // the server hears of it a moment later
			if _, _, err := w.tryDial(t, protocol, "Linchpin-Actor: greedy"); err == nil {
				break
			} else if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
	})
}

// TestPingsAreAnsweredAtAPace shows that the cost of pings is bounded: as many as a socket may send at once, then ten a
// second.
func TestPingsAreAnsweredAtAPace(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, func(c *server.Config) { c.Hasten(forever, forever, forever, forever, forever) })
	ping := `{"type":"ping","payload":"` + strings.Repeat("x", 8000) + `"}`
	for name, c := range map[string]*client{"a stranger": w.dial(t, protocol), "a caller": w.connect(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			for range 20 {
				c.send(ping)
			}
			for range 20 {
				c.expect("pong")
			}
			if took := time.Since(begun); took < 900*time.Millisecond {
				t.Errorf("20 pings were answered in %s", took)
			}
		})
	}
}

func TestALargeMessageIsReadOnceTheCallerIsKnown(t *testing.T) {
	w := sqliteWorld(t, nil)
	c := w.connect(t)
	c.ask("1", "{ revision "+strings.Repeat(" ", 50<<10)+"}")
	c.expect("next")
}

func TestAPageOfAnotherSiteOpensNoSocket(t *testing.T) {
	w := sqliteWorld(t, nil)
	for _, header := range []string{"Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"} {
		if _, status, err := w.tryDial(t, protocol, header); err == nil || status != http.StatusForbidden {
			t.Errorf("%s: %d %v", header, status, err)
		}
	}
	w.dial(t, protocol, "Origin: http://"+w.host)
}

func TestASocketIsForCallersOnly(t *testing.T) {
	t.Run("nobody is signed in", func(t *testing.T) {
		w := sqliteWorld(t, func(c *server.Config) { c.IsDev = false })
		c := w.dial(t, protocol)
		c.send(`{"type":"connection_init"}`)
		if code := c.closed(); code != 4403 {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("the beginning names the caller", func(t *testing.T) {
		w := sqliteWorld(t, nil)
		c := w.dial(t, protocol)
		c.send(`{"type":"connection_init","payload":{"Linchpin-Actor":"ada"}}`)
		c.expect("connection_ack")
		c.ask("1", "{ viewer { name } }")
		if m := c.expect("next"); !strings.Contains(string(m.Payload), `"ada"`) {
			t.Errorf("%s", m.Payload)
		}
	})
}
