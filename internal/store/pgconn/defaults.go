package pgconn

import (
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
)

const (
	dialTimeout        = 5 * time.Second
	defaultReadTimeout = 90 * time.Second
)

// sessionParameters bound the harm of a forgotten transaction or a bad plan. They switch off compilation, which takes
// longer than running a statement that serves a person, and say what reading by an index costs today.
var sessionParameters = map[string]string{
	"jit":                                 "off",
	"random_page_cost":                    "1.1", // what lies in memory or on flash is read anywhere alike
	"statement_timeout":                   "60s",
	"lock_timeout":                        "2s",
	"idle_in_transaction_session_timeout": "60s",
	"timezone":                            "UTC",
}

// defaults fills in the settings that the DSN and the environment leave open: the session parameters above,
// application_name, a connect_timeout of 5 s for each host, and sslmode: "disable" if every host is this machine, else
// "require", which encrypts, but trusts any certificate unless there is a root certificate.
func defaults(cfg *pq.Config) {
	if cfg.Runtime == nil {
		cfg.Runtime = map[string]string{}
	}
	for name, value := range sessionParameters {
		if _, ok := parameter(*cfg, name); ok {
			continue
		}
		if name == "timezone" && cfg.TZ != "" {
			value = cfg.TZ // PGTZ, which lib/pq 1.12 reads and does not send
		}
		cfg.Runtime[name] = value
	}
	if cfg.ApplicationName == "" {
		cfg.ApplicationName = "linchpin"
	}
	if cfg.ConnectTimeout <= 0 {
		cfg.ConnectTimeout = dialTimeout
	}
	if cfg.SSLMode == "" {
		cfg.SSLMode = pq.SSLModeRequire // set explicitly, or lib/pq does not look for ~/.postgresql/root.crt
		asksForTLS := cfg.SSLCert != "" || cfg.SSLRootCert != "" || cfg.SSLNegotiation == pq.SSLNegotiationDirect
		if onThisMachine(*cfg) && !asksForTLS {
			cfg.SSLMode = pq.SSLModeDisable
		}
	}
}

// parameter returns a server parameter that the DSN sets, by name or within options (-c name=value).
func parameter(cfg pq.Config, name string) (value string, isSet bool) {
	for k, v := range cfg.Runtime {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	for field := range strings.FieldsSeq(cfg.Options) {
		field = strings.TrimPrefix(strings.TrimPrefix(field, "--"), "-c")
		if k, v, ok := strings.Cut(field, "="); ok && strings.EqualFold(strings.ReplaceAll(k, "-", "_"), name) {
			value, isSet = v, true // the last one counts
		}
	}
	return value, isSet
}

func onThisMachine(cfg pq.Config) bool {
	hosts := append([]pq.ConfigMultihost{{Host: cfg.Host, Hostaddr: cfg.Hostaddr}}, cfg.Multi...)
	for _, h := range hosts {
		switch {
		case h.Hostaddr != netip.Addr{}:
			if !h.Hostaddr.Unmap().IsLoopback() {
				return false
			}
		case filepath.IsAbs(h.Host), strings.HasPrefix(h.Host, "@"), h.Host == "localhost":
		default:
			if a, err := netip.ParseAddr(strings.Trim(h.Host, "[]")); err != nil || !a.Unmap().IsLoopback() {
				return false
			}
		}
	}
	return true
}

// readTimeoutFor returns the default read timeout, well above the time after which the server itself ends a statement.
func readTimeoutFor(cfg pq.Config) time.Duration {
	value, _ := parameter(cfg, "statement_timeout")
	limit, ok := serverDuration(value)
	switch {
	case ok && limit == 0:
		return -1
	case ok:
		return max(defaultReadTimeout, limit+limit/2)
	default:
		return defaultReadTimeout
	}
}

// serverDuration reads a duration as PostgreSQL writes it: a number of milliseconds, or one with a unit.
func serverDuration(s string) (time.Duration, bool) {
	s = strings.Trim(s, `' `)
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz ")
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || n < 0 {
		return 0, false
	}
	unit, ok := map[string]time.Duration{
		"": time.Millisecond, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second,
		"min": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}[strings.TrimSpace(s[len(digits):])]
	return time.Duration(n * float64(unit)), ok
}
