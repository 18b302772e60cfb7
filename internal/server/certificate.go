package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is read from its files again when they change, so that a renewal needs no restart.
type certificate struct {
	cert, key string // paths
	log       *slog.Logger

	mu     sync.Mutex
	stamps [2]time.Time
	loaded *tls.Certificate
}

// TLS returns how to encrypt connections by a certificate and its key in files, which are read again when they change.
// HTTP/1.1 is spoken: sockets need it.
func TLS(cert, key string, log *slog.Logger) (*tls.Config, error) {
	c := &certificate{cert: cert, key: key, log: log}
	if err := c.load(c.changed()); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}, nil
}

// changed returns when the files were last written.
func (c *certificate) changed() (stamps [2]time.Time) {
	for i, path := range []string{c.cert, c.key} {
		if info, err := os.Stat(path); err == nil {
			stamps[i] = info.ModTime()
		}
	}
	return stamps
}

func (c *certificate) load(stamps [2]time.Time) error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("the certificate %s with the key %s: %w", c.cert, c.key, err)
	}
	c.loaded, c.stamps = &pair, stamps
	return nil
}

// current returns the certificate as its files have it now. While they do not fit each other, as between the writing of
// the one and the other, it returns the one before.
func (c *certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stamps := c.changed(); stamps != c.stamps {
		if err := c.load(stamps); err != nil {
			c.log.Warn("the new certificate is not used, and the one before still is", "error", err)
			c.stamps = stamps
		} else {
			c.log.Info("a new certificate is used", "path", c.cert)
		}
	}
	return c.loaded
}
