package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

func init() { scriptCommands["terminal"] = terminal }

// terminal runs a program of a script whose standard output is a terminal of a width.
func terminal(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: terminal COLUMNS PROGRAM [ARGS]")
	}
	columns, err := strconv.ParseUint(args[0], 10, 16)
	ts.Check(err)
	screen, program, err := openTerminal(uint16(columns))
	ts.Check(err)
	defer func() { _ = screen.Close() }()
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), program, ts.Stderr()
	cmd.Env = os.Environ()
	for _, name := range []string{"HOME", "LINCHPIN_DATABASE", "XDG_DATA_HOME", "NO_COLOR", "TERM", "COLUMNS"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	var shown bytes.Buffer
	read := make(chan struct{})
	ts.Check(cmd.Start())
	_ = program.Close()
	go func() {
		defer close(read)
		_, _ = io.Copy(&shown, screen) // ends with EIO once the program has closed its side
	}()
	err = cmd.Wait()
	<-read
	_, _ = io.WriteString(ts.Stdout(), strings.ReplaceAll(shown.String(), "\r\n", "\n"))
	ts.Check(err)
}

// openTerminal opens both sides of a pseudo-terminal.
func openTerminal(columns uint16) (screen, program *os.File, err error) {
	if screen, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			_ = screen.Close()
		}
	}()
	fd := int(screen.Fd())
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, err
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, err
	}
	if program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	return screen, program, unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns})
}
