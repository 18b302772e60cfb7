package pgconn

import (
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTheHostHasToConfirmWhatIsSent reads the options of a socket back.
func TestTheHostHasToConfirmWhatIsSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for dsn, want := range map[string]map[int]int{
		"postgres://h/d": {unix.TCP_USER_TIMEOUT: 10_000, unix.TCP_KEEPIDLE: 5, unix.TCP_KEEPINTVL: 5, unix.TCP_KEEPCNT: 3},
		"postgres://h/d?tcp_user_timeout=3000&keepalives_idle=7&keepalives_interval=2&keepalives_count=4": {
			unix.TCP_USER_TIMEOUT: 3000, unix.TCP_KEEPIDLE: 7, unix.TCP_KEEPINTVL: 2, unix.TCP_KEEPCNT: 4,
		},
		"postgres://h/d?tcp_user_timeout=0": {unix.TCP_USER_TIMEOUT: 0},
	} {
		c, err := NewConnector(dsn)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := newDialer(time.Minute, c.waits, c.silent).Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := conn.(*wire).Conn.(syscall.Conn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) {
			for option, value := range want {
				if got, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option); err != nil || got != value {
					t.Errorf("%s: option %d is %d, %v, and not %d", dsn, option, got, err, value)
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
}

func TestWaitsThatCannotBeMeantAreRefused(t *testing.T) {
	for _, setting := range []string{"answer_timeout=soon", "answer_timeout=-1s", "tcp_user_timeout=10s", "keepalives_idle=-1", "keepalives_count=x"} {
		if _, err := NewConnector("postgres://h/d?" + setting); err == nil {
			t.Errorf("%s is taken", setting)
		}
	}
	const plain = "postgres://ada:secret@h:5432/d?lock_timeout=5s&sslmode=require"
	if got := Plain(plain + "&answer_timeout=3s&keepalives_idle=7"); got != plain {
		t.Errorf("%s", got)
	}
}
