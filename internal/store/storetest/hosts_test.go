package storetest_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func TestAnAddressNamesSeveralHostsOfWhichOneTakesWrites(t *testing.T) {
	address := storetest.PostgresAddress(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	host, port := q.Get("host"), q.Get("port")
	if host == "" {
		t.Fatalf("%s names its host elsewhere", store.Redact(address))
	}
	q.Set("host", t.TempDir()+","+host)
	if port != "" {
		q.Set("port", port+","+port)
	}
	q.Set("target_session_attrs", "read-write")
	u.RawQuery = q.Encode()
	s := second(t, u.String())
	named(t, s, "first")

	raw(t, s, "ALTER DATABASE "+strings.Trim(u.Path, "/")+" SET default_transaction_read_only = on")
	if refused, err := store.Open(t.Context(), u.String()); err == nil {
		_ = refused.Close()
		t.Error("a server that takes no writes was taken")
	}
	q.Set("target_session_attrs", "any")
	u.RawQuery = q.Encode()
	second(t, u.String())
}
