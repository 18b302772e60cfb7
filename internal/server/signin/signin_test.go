package signin_test

import (
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/server/signin"
)

func TestNobodyIsLedElsewhereAfterSigningIn(t *testing.T) {
	for _, to := range []string{
		"", "x", "//evil", "/\\evil", "/\t/evil", "\t/x", " /x", "/\n/evil", "/\r/evil", "http://evil", "https:evil", "javascript:alert(1)", "\\\\evil", "\\/evil",
		"/x\\y", "/\x00", "/\x7f", "/a b", "///evil", "//", "/\\", "/auth/sign-out", "/auth/", "/auth/device/begin", "/auth/device?code=x", "?x", "#x", ".", "..", "x/y", "@evil", ":80", strings.Repeat("/x", 2000),
		"/ /evil", "\u2028/x", "data:x", "ftp://x", "mailto:x", "/\v", "/\f/x", "evil.example/", "%2f%2fevil",
	} {
		if got := signin.Within(to); got != "/" {
			t.Errorf("%q leads to %q", to, got)
		}
	}
	for _, to := range []string{"/", "/?query={x}", "/graphql", "/a/b?c=d#e", "/auth/device"} {
		if got := signin.Within(to); got != to {
			t.Errorf("%q leads to %q", to, got)
		}
	}
}
