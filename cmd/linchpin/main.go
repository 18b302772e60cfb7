// Command linchpin is the whole product in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	safe.AfterFunc(ctx, nil, "signals", stop) // a second signal ends it at once
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitOK       = 0
	exitFailed   = 1 // it could not be done
	exitUsage    = 2 // the command line is wrong
	exitProblems = 3 // it was done, and there is something to look at
	exitOther    = 4 // the journal is not the one that was signed
)

// environment is what a command sees of the world.
type environment struct {
	getenv   func(string) string
	stdin    io.Reader
	stdout   *output
	stderr   io.Writer
	database string
	listen   string
	server   string
	keyFile  string
}

// output is standard output. It remembers the first error, so that an answer that got lost is no success.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// run runs one command line and returns its exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	env := &environment{getenv: getenv, stdin: stdin, stdout: &output{Writer: stdout}, stderr: stderr}
	root := newRoot(env)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	wrong := usageError{}
	code := exitCode(exitFailed)
	switch {
	case err == nil && env.stdout.err != nil:
		_, _ = fmt.Fprintf(stderr, "linchpin: the answer could not be written: %v\n", env.stdout.err)
		return exitFailed
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &wrong):
		_, _ = fmt.Fprintf(stderr, "linchpin: %v\nSee '%s --help'.\n", wrong.err, wrong.cmd.CommandPath())
		return exitUsage
	case ctx.Err() != nil:
		_, _ = fmt.Fprintf(stderr, "linchpin: stopped before it was done: %v\n", err)
		return exitFailed
	default:
		_, _ = fmt.Fprintf(stderr, "linchpin: %v\n", err)
		if isUsage(root, args) {
			return exitUsage
		}
		return exitFailed
	}
}

// newRoot makes the command that all others are below.
func newRoot(env *environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "linchpin",
		Short: "The CMDB that computes consequences",
		Long: `Linchpin is a CMDB and service catalogue that answers what breaks when something fails.

  linchpin serve --demo        start with a demo estate and open GraphiQL
  linchpin import backstage .  bring a Backstage catalogue in

Each command says more with --help.

Exit codes: 0 it was done; 1 it could not be done; 2 the command line is wrong;
3 it was done, and there is something to look at (import, restore, verify);
4 the journal is not the one that was signed (journal verify).`,
		Version:       version(debug.ReadBuildInfo()),
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetVersionTemplate("linchpin {{.Version}}\n")
	root.SetIn(env.stdin)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	flags := root.PersistentFlags()
	flags.StringVar(&env.database, "database", "", "sqlite:PATH or postgres://USER@HOST/NAME (default $LINCHPIN_DATABASE, or a file in your data directory)")
	flags.StringVar(&env.listen, "listen", "127.0.0.1:8080", "address to listen on, HOST:PORT; port 0 takes a free one")
	flags.StringVar(&env.keyFile, "key-file", "", "root key of secrets, 32 bytes in base64 on each line (default the SQLite file with .key behind; PostgreSQL needs one)")
	root.AddCommand(serveCommand(env), accountCommand(env), tokenCommand(env), policyCommand(env), loginCommand(env), logoutCommand(env), whoamiCommand(env), importCommand(env), exportCommand(env), sourceCommand(env), runCommand(env), driftCommand(env), impactCommand(env), spofCommand(env), generateCommand(env), migrateCommand(env), backupCommand(env), restoreCommand(env), verifyCommand(env), journalCommand(env), versionCommand(env))
	root.SetHelpCommand(helpCommand())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError{cmd, err} })
	return root
}

// helpCommand shows the help of a command, and knows when there is no such command.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usageError{cmd.Root(), fmt.Errorf("there is no command %q", strings.Join(args, " "))}
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// isUsage reports whether the words do not even name a command.
func isUsage(root *cobra.Command, args []string) bool {
	_, _, err := root.Find(args)
	return err != nil
}

// usageError is a command line that cannot be meant.
type usageError struct {
	cmd *cobra.Command
	err error
}

func (e usageError) Error() string { return e.err.Error() }

// exitCode ends the program after a command has said everything itself.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// argsOf checks the words after a command, as a usage error.
func argsOf(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{cmd, err}
		}
		return nil
	}
}
