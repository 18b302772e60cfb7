//go:build !unix

package pgconn

func (w *wire) alive() bool { return true }
