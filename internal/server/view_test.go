package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/auth/session"
)

func TestAnAdminSeesWhatAnotherAccountSeesAndWritesNothing(t *testing.T) {
	houses(t, func(h house) {
		t := h.t
		root := h.setUp()
		_, ada := h.invited("ada", auth.Operator)
		editor, eve := h.invited("eve", auth.CatalogEditor)
		asAda := "Linchpin-View-As: " + ada.Account.String()
		if _, text := h.graphql(`mutation { createCI(input: {name: "vault", class: "server", visibility: OWNERS}) { ci { name } userErrors { message } } }`, editor); !strings.Contains(text, `"vault"`) {
			t.Fatal(text)
		}
		const look = `{ viewer { name roles isFresh } cis { nodes { name } totalCount } }`
		if _, text := h.graphql(look, root, asAda); !strings.Contains(text, `{"viewer":{"name":"ada","roles":["OPERATOR"],"isFresh":false},"cis":{"nodes":[],"totalCount":0}}`) {
			t.Errorf("as ada: %s", text)
		}
		if _, text := h.graphql(look, root, "Linchpin-View-As: "+eve.Account.String()); !strings.Contains(text, `"vault"`) {
			t.Errorf("as eve: %s", text)
		}
		for what, mutation := range map[string]string{
			"her own work": `mutation { openIncident(input: {title: "down"}) { incident { id } userErrors { message } } }`,
			"an account":   `mutation { endSessions(input: {}) { account { id } userErrors { message } } }`,
		} {
			if _, text := h.graphql(mutation, root, asAda); !strings.Contains(text, "FORBIDDEN") {
				t.Errorf("%s: %s", what, text)
			}
		}
		if n := h.Store.Read.Incident.Query().CountX(t.Context()); n != 0 {
			t.Errorf("%d incidents were opened", n)
		}
		for what, headers := range map[string][]string{
			"by no admin":    {editor, asAda},
			"nobody's":       {root, "Linchpin-View-As: acc_999"},
			"no id":          {root, "Linchpin-View-As: ada"},
			"another record": {root, "Linchpin-View-As: ci_1"},
		} {
			if status, text := h.graphql(look, headers...); status != http.StatusForbidden || strings.Contains(text, "OPERATOR") {
				t.Errorf("%s: %d %s", what, status, text)
			}
		}
		if status, _ := h.graphql(look, asAda); status != http.StatusUnauthorized {
			t.Errorf("by a stranger: %d", status)
		}
		_, brought, _ := strings.Cut(root, "=")
		admin, _, err := h.Identity.Find(t.Context(), secret.Session, brought)
		if err != nil {
			t.Fatal(err)
		}
		admin.Pass.SignedIn = admin.Pass.SignedIn.Add(-auth.FreshFor - time.Second)
		if _, err := h.Identity.ViewAs(t.Context(), admin, ada.Account.String()); err == nil {
			t.Error("an admin who signed in long ago looks")
		}
		all, err := session.SignIns(t.Context(), h.Store, 100)
		if err != nil {
			t.Fatal(err)
		}
		found := ""
		for _, one := range all {
			if one.Method == session.View && one.Account == *ada.Account {
				found = fmt.Sprintf("%s %d", one.Network, one.Count)
			}
		}
		if found != "by "+admin.Key()+" 3" {
			t.Errorf("the sign-in log says %q of those who looked", found)
		}
	})
}

func TestASocketOfOneWhoLooksIsThatOfTheAccount(t *testing.T) {
	houses(t, func(h house) {
		t, root := h.t, h.setUp()
		_, ada := h.invited("ada", auth.Operator)
		_, cookie, _ := strings.Cut(root, ": ")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c, _, err := websocket.Dial(ctx, "ws://"+h.host+"/graphql", &websocket.DialOptions{ //nolint:bodyclose // a socket has none
			Subprotocols: []string{"graphql-transport-ws"},
			HTTPHeader:   http.Header{"Cookie": {cookie}, "Linchpin-View-As": {ada.Account.String()}, "Origin": {"http://" + h.host}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.CloseNow() }()
		say := func(text string) string {
			if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
			_, answer, err := c.Read(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return string(answer)
		}
		if got := say(`{"type":"connection_init"}`); !strings.Contains(got, "connection_ack") {
			t.Fatal(got)
		}
		if got := say(`{"id":"1","type":"subscribe","payload":{"query":"{viewer{name}}"}}`); !strings.Contains(got, `"ada"`) {
			t.Error(got)
		}
	})
}
