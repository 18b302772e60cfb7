package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
)

// asksIn lets a command line ask to be let in.
func (h house) asksIn(roles ...string) (code, token string) {
	h.t.Helper()
	r := h.post("/auth/device/begin", url.Values{"host": {"<b>laptop</b>"}, "role": roles})
	var d struct {
		Code  string `json:"user_code"`
		Token string `json:"device_code"`
	}
	if err := json.Unmarshal([]byte(r.Text), &d); err != nil || r.StatusCode != http.StatusOK || len(d.Code) != 9 {
		h.t.Fatal(r.Status, r.Text, err)
	}
	return d.Code, d.Token
}

// TestACodeOfSomebodyElseIsNotLetInUnseen leads a victim to approve the command line of an attacker.
func TestACodeOfSomebodyElseIsNotLetInUnseen(t *testing.T) {
	houses(t, func(h house) {
		t := h.t
		const own = "Sec-Fetch-Site: same-origin"
		root := h.setUp()
		code, token := h.asksIn("OPERATOR")
		poll := func() string { return h.post("/auth/device/token", url.Values{"device_code": {token}}).Text }
		if got := poll(); !strings.Contains(got, "authorization_pending") {
			t.Errorf("before anybody answers: %s", got)
		}
		// No link carries a code, and who is not signed in is led to where they do.
		if r := h.do(http.MethodGet, "/auth/device?code="+code+"&user_code="+code, "", "", root); r.StatusCode != http.StatusOK || strings.Contains(r.Text, code) || strings.Contains(r.Text, code[:4]) {
			t.Errorf("a link fills the code in: %s %s", r.Status, r.Text)
		}
		if r := h.do(http.MethodGet, "/auth/device", "", ""); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/auth/sign-in?return=%2Fauth%2Fdevice" {
			t.Errorf("a stranger: %s %s", r.Status, r.Header.Get("Location"))
		}
		for _, path := range []string{"/auth/device", "/auth/device/answer"} {
			form := url.Values{"code": {code}, "answer": {"allow"}}
			if r := h.post(path, form, root, "Sec-Fetch-Site: cross-site"); r.StatusCode != http.StatusForbidden {
				t.Errorf("%s from a page of another site: %s", path, r.Status)
			}
			if r := h.do(http.MethodGet, path+"?"+form.Encode(), "", "", root); r.StatusCode != http.StatusMethodNotAllowed && path != "/auth/device" {
				t.Errorf("%s by a link: %s", path, r.Status)
			}
			if r := h.post(path, form, own); r.StatusCode != http.StatusSeeOther {
				t.Errorf("%s of a stranger: %s", path, r.Status)
			}
		}
		// The page says who asks, in its own words and not in those of the attacker's markup.
		page := h.post("/auth/device", url.Values{"code": {strings.ToLower(code)}}, root, own)
		for _, says := range []string{"&lt;b&gt;laptop", "127.0.0.0/24", "OPERATOR", "act as root", "If somebody sent you the code"} {
			if !strings.Contains(page.Text, says) {
				t.Errorf("the page does not say %q: %s", says, page.Text)
			}
		}
		if got := poll(); !strings.Contains(got, "authorization_pending") {
			t.Errorf("to look is to let in: %s", got)
		}
		if r := h.post("/auth/device", url.Values{"code": {"BCDF-GHJK"}}, root, own); r.StatusCode != http.StatusNotFound || !strings.Contains(r.Text, "mistyped") {
			t.Errorf("a wrong code: %s %s", r.Status, r.Text)
		}
		if r := h.post("/auth/device/answer", url.Values{"code": {code}, "answer": {"allow"}}, root, own); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, "It is in") {
			t.Errorf("to let it in: %s %s", r.Status, r.Text)
		}
		if got := poll(); !strings.Contains(got, `"access_token":"`+token) {
			t.Errorf("after it is let in: %s", got)
		}
		bearer := "Authorization: Bearer " + token
		if _, got := h.graphql(who, bearer); !strings.Contains(got, `"name":"root","via":"TOKEN","roles":["OPERATOR"]`) || !strings.Contains(got, `"tokenName":"CLI on \u003cb\u003elaptop\u003c/b\u003e"`) && !strings.Contains(got, `"tokenName":"CLI on <b>laptop</b>"`) {
			t.Errorf("it acts as %s", got)
		}
		if r := h.post("/auth/device/end", nil, bearer); r.StatusCode != http.StatusNoContent {
			t.Errorf("to end its own token: %s", r.Status)
		}
		if status, _ := h.graphql(who, bearer); status != http.StatusUnauthorized {
			t.Errorf("after its end: %d", status)
		}
		if r := h.post("/auth/device/end", nil, bearer); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("to end it again: %s", r.Status)
		}
		refused, gone := h.asksIn("VIEWER")
		if r := h.post("/auth/device/answer", url.Values{"code": {refused}, "answer": {""}}, root, own); !strings.Contains(r.Text, "It is refused") {
			t.Errorf("to refuse: %s %s", r.Status, r.Text)
		}
		if r := h.post("/auth/device/token", url.Values{"device_code": {gone}}); !strings.Contains(r.Text, "expired_token") {
			t.Errorf("after it is refused: %s", r.Text)
		}
		if r := h.post("/auth/device/begin", url.Values{"host": {"x"}}); r.StatusCode != http.StatusBadRequest {
			t.Errorf("without a role: %s %s", r.Status, r.Text)
		}
		vera, _ := h.invited("vera", auth.Viewer)
		much, _ := h.asksIn("ADMIN")
		if r := h.post("/auth/device/answer", url.Values{"code": {much}, "answer": {"allow"}}, vera, own); r.StatusCode != http.StatusForbidden || !strings.Contains(r.Text, "no more than its account") {
			t.Errorf("more than the person has: %s %s", r.Status, r.Text)
		}
	})
}
