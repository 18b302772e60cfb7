package store_test

import (
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestNoAddressTellsItsPassword(t *testing.T) {
	for address, want := range map[string]string{
		"sqlite:/data/linchpin.db":                     "sqlite:/data/linchpin.db",
		"postgres://ada:SECRET@db:5432/cmdb":           "postgres://ada:xxxxx@db:5432/cmdb",
		"postgresql://ada@db/cmdb?password=SECRET&a=b": "postgresql://ada@db/cmdb?a=b",
		"postgres://ada@db/cmdb?sslpassword=SECRET":    "postgres://ada@db/cmdb",
		"postgres://ada@db/cmdb?passfile=/home/SECRET": "postgres://ada@db/cmdb",
		"postgres:ada:SECRET@db":                       "the database",
		"postgres://ada:SECRET@db:port/cmdb":           "the database",
		"postgres://ada:SE%CRET@db/cmdb":               "the database",
		"host=db user=ada password=SECRET":             "the database",
		"ada:SECRET@db/cmdb":                           "the database",
		"mysql://ada:SECRET@db/cmdb":                   "the database",
		"postgres://ada:SECRET@a:5432,b:5433/cmdb?x=y": "postgres://ada:xxxxx@a:5432,b:5433/cmdb?x=y",
		"Postgres://ada:SECRET@db/cmdb":                "postgres://ada:xxxxx@db/cmdb",
		" postgres://ada:SECRET@db/cmdb":               "the database",
	} {
		if got := store.Redact(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
		_, err := store.Open(t.Context(), address)
		if err != nil && strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", address, err)
		}
	}
}
