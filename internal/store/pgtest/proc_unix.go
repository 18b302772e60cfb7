//go:build darwin || freebsd

package pgtest

import "syscall"

const parentDeathSignal = ""

func dieWithThread(*syscall.SysProcAttr) {} // the janitor does it

func attributes(owner *account) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if owner != nil {
		a.Credential = &syscall.Credential{Uid: uint32(owner.uid), Gid: uint32(owner.gid)}
	}
	return a
}

func memoryDir() string { return "" }

func hasOrphans(string) bool { return true } // cannot be told: try until the time is up

func killIn(string) {}
