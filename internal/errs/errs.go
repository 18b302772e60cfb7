// Package errs is the one vocabulary of failure. A failure is translated into it once, at the border where it
// happens (database, file, rule), and presented once, at the border where it leaves (GraphQL, command line).
package errs

import (
	"errors"
	"fmt"
	"strings"
)

// Code says what sort of failure it is. Codes are part of the API.
type Code string

// Failures that a person can mend by other input: mutations answer them as userErrors.
const (
	Invalid           Code = "INVALID"            // a value is malformed or out of range
	Required          Code = "REQUIRED"           // a value is missing
	NotFound          Code = "NOT_FOUND"          // a record that the input names does not exist
	AlreadyExists     Code = "ALREADY_EXISTS"     // a unique value is taken
	Stale             Code = "STALE"              // the record changed since the version that was stated
	TransitionRefused Code = "TRANSITION_REFUSED" // the state table does not allow it, or something is missing for it
	InUse             Code = "IN_USE"             // other records stand in the way
	ImpactGrew        Code = "IMPACT_GREW"        // a change would take more services down than when it was scheduled
	LastAdmin         Code = "LAST_ADMIN"         // nobody could look after accounts afterwards
	Consequences      Code = "CONSEQUENCES"       // something would be DOWN though nothing failed, and nobody accepts that
	FallsNow          Code = "FALLS_NOW"          // the same, only by what has failed already
)

// Failures of the request, the caller or the server: they are answered as top-level errors.
const (
	BadUserInput           Code = "BAD_USER_INPUT"
	BadCursor              Code = "BAD_CURSOR"
	Unauthenticated        Code = "UNAUTHENTICATED"
	Forbidden              Code = "FORBIDDEN"
	TooLarge               Code = "QUERY_TOO_LARGE"
	TooDeep                Code = "QUERY_TOO_DEEP"
	PersistedQueryNotFound Code = "PERSISTED_QUERY_NOT_FOUND"
	TooCostly              Code = "COMPLEXITY_LIMIT_EXCEEDED"
	KeyReused              Code = "IDEMPOTENCY_KEY_REUSED" // the key belongs to another request
	RateLimited            Code = "RATE_LIMITED"
	Timeout                Code = "TIMEOUT"
	Unavailable            Code = "UNAVAILABLE"
	OutcomeUnknown         Code = "OUTCOME_UNKNOWN" // a commit was sent and no answer came: it may or may not have happened
	HistoryChanged         Code = "HISTORY_CHANGED" // the place that the request names is of a history that the database does not have
	TooOld                 Code = "TOO_OLD"         // the journal no longer has what the request goes by: it was purged
	Overloaded             Code = "OVERLOADED"      // nothing was begun: there is more to do than can be done in time
	Internal               Code = "INTERNAL"
)

// Error is one failure. Message says what is wrong, where, and what would be right; it may be shown to anyone. Field is
// the path of the input that caused it, outermost first. Records are the numbers of the records that it is about beside
// those of the input. Cause is for the log only.
type Error struct {
	Code    Code
	Message string
	Field   []string
	Records []int64
	Cause   error
	// Reauthenticate tells that the caller may, once they have signed in again.
	Reauthenticate bool
}

func (e *Error) Error() string {
	s := e.Message
	if len(e.Field) > 0 {
		s = strings.Join(e.Field, ".") + ": " + s
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns an error of a code, with a message formatted as by fmt.Sprintf.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// At returns a copy of e that puts field before the path of the input that caused it.
func (e *Error) At(field ...string) *Error {
	c := *e
	c.Field = append(append([]string(nil), field...), e.Field...)
	return &c
}

// Because returns a copy of e with a cause, which is logged and never shown.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// CodeOf returns the code of the first Error in err. If there is none, it returns Internal; for nil, "".
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Under puts a path before the paths of all Errors joined in err. If any part of err is something else, it returns err
// as it is.
func Under(err error, field ...string) error {
	all, ok := All(err)
	if !ok {
		return err
	}
	moved := make([]error, len(all))
	for i, e := range all {
		moved[i] = e.At(field...)
	}
	return errors.Join(moved...)
}

// All returns the Errors joined in err, in order. It reports false if any part of err is something else.
func All(err error) ([]*Error, bool) {
	if e, ok := err.(*Error); ok { //nolint:errorlint // the tree is walked here, link by link
		return []*Error{e}, true
	}
	switch u := err.(type) { //nolint:errorlint // the tree is walked here, link by link
	case interface{ Unwrap() []error }:
		var all []*Error
		for _, part := range u.Unwrap() {
			more, ok := All(part)
			if !ok {
				return nil, false
			}
			all = append(all, more...)
		}
		return all, len(all) > 0
	case interface{ Unwrap() error }:
		return All(u.Unwrap())
	}
	return nil, false
}

// Mendable reports whether a person can mend a failure of the code by other input.
func (c Code) Mendable() bool {
	switch c {
	case Invalid, Required, NotFound, AlreadyExists, Stale, TransitionRefused, InUse, ImpactGrew, LastAdmin, Consequences, FallsNow:
		return true
	default:
		return false
	}
}
