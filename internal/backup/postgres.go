package backup

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// parameters are those of an address that PostgreSQL's programs know. Others, such as lock_timeout, are settings of
// Linchpin's own connections, and would be refused.
var parameters = []string{
	"host", "hostaddr", "port", "dbname", "user", "passfile", "service", "options", "application_name", "connect_timeout", "target_session_attrs", "load_balance_hosts",
	"sslmode", "sslnegotiation", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl", "sslcrldir", "sslsni", "ssl_min_protocol_version", "ssl_max_protocol_version",
	"channel_binding", "require_auth", "gssencmode", "krbsrvname", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
}

// run runs a program of PostgreSQL on a database. The password goes by the environment, which other users of the
// machine cannot read.
func run(ctx context.Context, address, program string, args ...string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return fmt.Errorf("%s is not on the PATH: it comes with the client programs of PostgreSQL, in the server's version or a newer one", program)
	}
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("the address of the database is no URL")
	}
	environment := os.Environ()
	if password, ok := u.User.Password(); ok {
		u.User, environment = url.User(u.User.Username()), append(environment, "PGPASSWORD="+password)
	}
	query := u.Query()
	if query.Has("password") {
		environment = append(environment, "PGPASSWORD="+query.Get("password"))
	}
	for name := range query {
		if !slices.Contains(parameters, name) {
			query.Del(name)
		}
	}
	u.RawQuery = query.Encode()
	cmd := exec.CommandContext(ctx, path, append(args, "--no-password", "--dbname="+u.String())...) //nolint:gosec // a program of PostgreSQL, and the arguments of this package
	cmd.Env = environment
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s of %s: %w: %s", program, store.Redact(address), err, strings.TrimSpace(string(said)))
	}
	return nil
}
