package pgconn

import (
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

func TestSettingsOfTheUserOverrideTheDefaults(t *testing.T) {
	base := pgtest.Database(t, "", nil)
	for _, test := range []struct{ dsn, setting, want string }{
		{"", "statement_timeout", "1min"},
		{"", "lock_timeout", "2s"},
		{"", "jit", "off"},
		{"&jit=on", "jit", "on"},
		{"", "random_page_cost", "1.1"},
		{"&random_page_cost=4", "random_page_cost", "4"},
		{"", "idle_in_transaction_session_timeout", "1min"},
		{"", "TimeZone", "UTC"},
		{"", "application_name", "linchpin"},
		{"&statement_timeout=7s", "statement_timeout", "7s"},
		{"&TimeZone=Europe/Vienna", "TimeZone", "Europe/Vienna"},
		{"&options=-c%20lock_timeout%3D3s", "lock_timeout", "3s"},
		{"&options=--lock-timeout%3D3s", "lock_timeout", "3s"},
		{"&application_name=import", "application_name", "import"},
	} {
		db, err := Open(base + test.dsn)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if err := db.QueryRowContext(t.Context(), `SELECT current_setting($1)`, test.setting).Scan(&got); err != nil || got != test.want {
			t.Errorf("%q: %s = %q (%v), want %q", test.dsn, test.setting, got, err, test.want)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestEncryptionIsRequiredBeyondThisMachine(t *testing.T) {
	for dsn, want := range map[string]pq.SSLMode{
		"postgres://localhost/x":                                       "disable",
		"postgres://127.0.0.1/x":                                       "disable",
		"postgres://[::1]/x":                                           "disable",
		"host=/var/run/postgresql":                                     "disable",
		"":                                                             "disable",
		"postgres://db.example.com/x":                                  "require",
		"postgres://localhost,db.example.com/x":                        "require",
		"host=localhost hostaddr=192.0.2.1":                            "require",
		"host=db.example.com hostaddr=127.0.0.1":                       "disable",
		"postgres://localhost/x?sslmode=verify-full":                   "verify-full",
		"postgres://db.example.com/x?sslmode=prefer":                   "prefer",
		"postgres://db.example.com/x?sslmode=disable":                  "disable",
		"postgres://localhost/x?sslrootcert=/ca.pem":                   "require",
		"postgres://db.example.com/x?sslrootcert=system":               "verify-full",
		"postgres://localhost/x?sslnegotiation=direct&sslmode=require": "require",
	} {
		cfg, err := pq.NewConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		defaults(&cfg)
		if cfg.SSLMode != want {
			t.Errorf("%q: sslmode %s, want %s", dsn, cfg.SSLMode, want)
		}
	}
}

func TestReadTimeoutStaysAboveStatementTimeout(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"60s": 90 * time.Second, "1000": 90 * time.Second, "5min": 450 * time.Second, "2 h": 3 * time.Hour,
		"0": -1, "0s": -1, "nonsense": 90 * time.Second,
	} {
		cfg := pq.Config{Runtime: map[string]string{"Statement_Timeout": value}}
		if got := readTimeoutFor(cfg); got != want {
			t.Errorf("statement_timeout %s: %v, want %v", value, got, want)
		}
	}
}
