//go:build !linux && !darwin && !freebsd

package store

func roomAt(string) (free uint64, ok bool) { return 0, false }
