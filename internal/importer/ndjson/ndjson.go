// Package ndjson reads rows as lines of JSON, the form in which programs report to Linchpin:
//
//	{"run": {"scope": "prod", "kind": "FULL"}}
//	{"ci": {"key": "web-1", "class": "server", "name": "web-1"}}
//	{"team": {"key": "web", "name": "Web"}}
//	{"delete": "web-0"}
//	{"end": {"rows": 3}}
//
// The first line may be left out: then it is a PARTIAL reading. Without the last one, or with another number of rows,
// the reading is not complete, and nothing is missing by it.
//
// A program that has read a row from elsewhere may say where, by an "origin" beside it, and what is to be noted about
// it, by "notices"; {"notice": {…}} tells of what it could not read.
package ndjson

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// LongestLine bounds a line, in bytes.
const LongestLine = 1 << 20

// Source yields the rows of a stream, once.
type Source struct {
	name, file string
	lines      *bufio.Scanner
	run        Run
	pending    []byte // the first line, if it is a row
	number     int    // of the line read last
}

// Run is how much of the source a stream has.
type Run struct {
	Scope string         `json:"scope,omitempty"`
	Kind  domain.RunKind `json:"kind"`
}

// line is what a line may hold: one of these, and beside a row where it comes from and what is noted about it.
type line struct {
	Run    *Run             `json:"run,omitempty"`
	CI     *importer.CI     `json:"ci,omitempty"`
	Team   *importer.Team   `json:"team,omitempty"`
	Person *importer.Person `json:"person,omitempty"`
	Delete *string          `json:"delete,omitempty"`
	Notice *importer.Notice `json:"notice,omitempty"`
	End    *end             `json:"end,omitempty"`

	Origin  *importer.Origin  `json:"origin,omitempty"`
	Notices []importer.Notice `json:"notices,omitempty"`
}

type end struct {
	Rows int `json:"rows"`
}

// New reads the first line of r, and returns the source of the rest. File is how its origins call it.
func New(name, file string, r io.Reader) (*Source, error) {
	s := &Source{name: name, file: file, lines: bufio.NewScanner(r), run: Run{Kind: domain.PartialRun}}
	s.lines.Buffer(make([]byte, 0, 64<<10), LongestLine+1)
	first, ok, err := s.next()
	if err != nil || !ok {
		return s, err
	}
	parsed, wrong := parse(first)
	if s.pending = first; wrong != nil || parsed.Run == nil {
		return s, nil //nolint:nilerr // Rows tells what is wrong with the line
	}
	s.pending = nil
	if parsed.Run.Kind != "" {
		s.run.Kind = domain.RunKind(strings.ToUpper(string(parsed.Run.Kind)))
	}
	s.run.Scope = parsed.Run.Scope
	for _, kind := range s.run.Kind.Values() {
		if kind == string(s.run.Kind) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%s:%d: a run of kind %q: it is one of %s", file, s.number, parsed.Run.Kind, strings.Join(s.run.Kind.Values(), ", "))
}

// Name returns the provenance of what is imported.
func (s *Source) Name() string { return s.name }

// Run returns the scope that the stream says it has, and how much of it.
func (s *Source) Run() (scope string, kind domain.RunKind) { return s.run.Scope, s.run.Kind }

// Rows yields the rows in the order of the stream. A line that cannot be read is yielded as a notice.
func (s *Source) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		rows := 0
		for {
			text, at, err := s.take(ctx)
			if err != nil {
				yield(importer.Row{}, err)
				return
			}
			if text == nil {
				yield(importer.Row{}, s.reject(at, `the stream ends without {"end": {"rows": N}}, so that it is not known to be whole`))
				return
			}
			parsed, wrong := parse(text)
			switch {
			case wrong != nil:
				if !yield(importer.Row{}, s.reject(at, wrong.Error())) {
					return
				}
			case parsed.End != nil:
				if parsed.End.Rows != rows {
					yield(importer.Row{}, s.reject(at, fmt.Sprintf("the stream says that it has %d rows, and has %d, so that it is not known to be whole", parsed.End.Rows, rows)))
				}
				s.rest(ctx, yield)
				return
			case parsed.Run != nil:
				if !yield(importer.Row{}, s.reject(at, "a run stands on the first line alone")) {
					return
				}
			case parsed.Notice != nil:
				if !yield(importer.Row{}, parsed.Notice) {
					return
				}
			default:
				rows++
				if !yield(parsed.row(s.origin(at)), nil) {
					return
				}
			}
		}
	}
}

// rest rejects what follows the end.
func (s *Source) rest(ctx context.Context, yield func(importer.Row, error) bool) {
	text, at, err := s.take(ctx)
	switch {
	case err != nil:
		yield(importer.Row{}, err)
	case text != nil:
		yield(importer.Row{}, s.reject(at, "something follows the end"))
	}
}

func (s *Source) origin(at int) importer.Origin { return importer.Origin{File: s.file, Line: at} }

func (s *Source) reject(at int, reason string) *importer.Notice {
	return &importer.Notice{Origin: s.origin(at), Kind: importer.Rejected, Reason: reason}
}

// take returns the next line that is not empty and its number, or nil at the end.
func (s *Source) take(ctx context.Context) (text []byte, at int, err error) {
	if s.pending != nil {
		text, s.pending = s.pending, nil
		return text, s.number, nil
	}
	text, _, err = s.next()
	if err == nil {
		err = ctx.Err()
	}
	return text, s.number, err
}

func (s *Source) next() (text []byte, ok bool, err error) {
	for s.lines.Scan() {
		s.number++
		if text := bytes.TrimSpace(s.lines.Bytes()); len(text) > 0 {
			return bytes.Clone(text), true, nil
		}
	}
	err = s.lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("%s:%d: a line has more than %d bytes", s.file, s.number+1, LongestLine)
	}
	return nil, false, err
}

// parse reads a line: an object with one of the known names, and no others anywhere.
func parse(text []byte) (line, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return l, fmt.Errorf("the line is no row: %w", err)
	}
	if d.More() {
		return l, errors.New("the line holds more than one object")
	}
	return l, l.check()
}

// check returns an error if a line holds anything else than one thing.
func (l line) check() error {
	n := 0
	for _, has := range []bool{l.Run != nil, l.CI != nil, l.Team != nil, l.Person != nil, l.Delete != nil, l.Notice != nil, l.End != nil} {
		if has {
			n++
		}
	}
	if n != 1 {
		return fmt.Errorf("the line holds %d of run, ci, team, person, delete, notice and end: one is expected", n)
	}
	return l.told()
}

func (l line) row(at importer.Origin) importer.Row {
	if l.Origin != nil {
		at = *l.Origin
	}
	row := importer.Row{Origin: at, CI: l.CI, Team: l.Team, Person: l.Person, Notices: l.Notices}
	if l.Delete != nil {
		row.Deleted = *l.Delete
	}
	return row
}
