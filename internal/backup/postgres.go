package backup

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

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
	if query := u.Query(); query.Has("password") {
		environment = append(environment, "PGPASSWORD="+query.Get("password"))
		query.Del("password")
		u.RawQuery = query.Encode()
	}
	cmd := exec.CommandContext(ctx, path, append(args, "--no-password", "--dbname="+u.String())...) //nolint:gosec // a program of PostgreSQL, and the arguments of this package
	cmd.Env = environment
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s of %s: %w: %s", program, store.Redact(address), err, strings.TrimSpace(string(said)))
	}
	return nil
}
