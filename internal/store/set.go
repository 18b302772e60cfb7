package store

import "github.com/linchpin-cmdb/linchpin/ent"

// Set calls a setter of a builder if the value differs from the one before, so that unchanged fields are not written.
func Set[T comparable, B any](was, is T, set func(T) B) {
	if was != is {
		set(is)
	}
}

// SetOptional does what Set does, for a value that may be absent.
func SetOptional[T any, B any](was, is *T, equal func(a, b T) bool, set func(T) B, clear func() B) {
	switch {
	case is == nil && was != nil:
		clear()
	case is != nil && (was == nil || !equal(*was, *is)):
		set(*is)
	}
}

// SetNillable does what SetOptional does, for values that == compares.
func SetNillable[T comparable, B any](was, is *T, set func(T) B, clear func() B) {
	SetOptional(was, is, func(a, b T) bool { return a == b }, set, clear)
}

// IsIdle reports whether a builder was told to set nothing.
func IsIdle(m ent.Mutation) bool { return len(m.Fields())+len(m.ClearedFields()) == 0 }
