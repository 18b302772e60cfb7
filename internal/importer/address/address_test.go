package address_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer/address"
)

func TestHostNamesAreFoundAndPiecesOfPasswordsAreNot(t *testing.T) {
	for value, want := range map[string][]string{
		"db": {"db"}, "db:5432": {"db"}, "mysql://root:pass@db:3306/mysql": {"db"}, "jdbc:postgresql://a:1,b:2/x": {"a", "b"}, "https://example.com.": {"example.com"},
		"10.0.0.1:80": nil, "localhost": nil, "": nil, "mysql://root:pa/ss@db/x": nil, "a:b": nil,
	} {
		if diff := cmp.Diff(want, address.Hosts(value)); diff != "" {
			t.Errorf("%s: %s", value, diff)
		}
	}
	for name, want := range map[string]bool{"DB_HOST": true, "db_addr": true, "HOST": false, "PASSWORD": false} {
		if address.Is(name, "x") != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	if !address.Is("ANY", "redis://cache") {
		t.Error("a URL is no address")
	}
}
