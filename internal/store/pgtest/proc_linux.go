package pgtest

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// parentDeathSignal is "yes": the janitor need not end the server, which ends by itself.
const parentDeathSignal = "yes"

// dieWithThread makes a server take an immediate shutdown when the thread that started it ends.
func dieWithThread(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }

// attributes makes a child run as owner, out of reach of an interrupt on the terminal.
func attributes(owner *account) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if owner != nil {
		a.Credential = &syscall.Credential{Uid: uint32(owner.uid), Gid: uint32(owner.gid)}
	}
	return a
}

// memoryDir returns the path of a file system in memory with room for a cluster, or "" if there is none. Containers
// often have one of 64 MB, which is too small.
func memoryDir() string {
	const (
		dir   = "/dev/shm"
		tmpfs = 0x01021994
		room  = 2 << 30
	)
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || fs.Type != tmpfs || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	return dir
}

// processesIn returns the processes whose working directory is data: those of the server, all of them, and no others.
func processesIn(data string) (pids []int) {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && cwd == data {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func hasOrphans(data string) bool { return len(processesIn(data)) > 0 }

// killIn kills the processes of the server in data, and waits until they are gone.
func killIn(data string) {
	for range 500 {
		pids := processesIn(data)
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
