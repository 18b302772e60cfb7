package schedule

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.yaml.in/yaml/v3"
)

// Schedule says what to import, and how often.
type Schedule struct {
	Name   string        `yaml:"name"`
	Every  time.Duration `yaml:"every"`
	Import string        `yaml:"import"` // a kind of source, such as sql
	Paths  []string      `yaml:"paths"`  // of files and folders; * stands for any part of a name

	DSN      string        `yaml:"dsn"` // of a database, or better env:NAME or file:PATH
	Mapping  string        `yaml:"mapping"`
	Prepared string        `yaml:"prepared"`
	Timeout  time.Duration `yaml:"statementTimeout"`

	Source string `yaml:"source"` // "": as the kind is called, or as the mapping says
	Scope  string `yaml:"scope"`
	Full   bool   `yaml:"full"`
}

const (
	shortest     = time.Minute
	longest      = 31 * 24 * time.Hour
	mostOfThem   = 100
	longestNames = 100
)

// Read reads a file of schedules. It refuses what it does not know.
func Read(path string) ([]Schedule, error) {
	text, err := os.ReadFile(path) //nolint:gosec // who starts the server says which file
	if err != nil {
		return nil, fmt.Errorf("the schedules cannot be read: %w", err)
	}
	var file struct {
		Version   int        `yaml:"version"`
		Schedules []Schedule `yaml:"schedules"`
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if file.Version != 1 {
		return nil, fmt.Errorf("%s: version %d: this program knows version 1", path, file.Version)
	}
	if len(file.Schedules) > mostOfThem {
		return nil, fmt.Errorf("%s: %d schedules: at most %d", path, len(file.Schedules), mostOfThem)
	}
	seen := map[string]bool{}
	var wrong []error
	for i, s := range file.Schedules {
		wrong = append(wrong, s.check(fmt.Sprintf("%s: schedule %d", path, i+1), seen))
	}
	return file.Schedules, errors.Join(wrong...)
}

func (s Schedule) check(at string, seen map[string]bool) error {
	if s.Name != "" {
		at += fmt.Sprintf(" (%s)", s.Name)
	}
	switch {
	case s.Name == "" || len(s.Name) > longestNames:
		return fmt.Errorf("%s: a name tells it from the others for ever: write one of at most %d bytes", at, longestNames)
	case seen[s.Name]:
		return fmt.Errorf("%s: another one has the name: give them different names", at)
	case s.Every < shortest || s.Every > longest:
		return fmt.Errorf("%s: every is %s: a time from %s to %s, such as 15m", at, s.Every, shortest, longest)
	case s.Import == "":
		return fmt.Errorf("%s: what to import is missing, such as import: sql", at)
	case s.Import == "sql" && s.DSN == "":
		return fmt.Errorf("%s: the database is missing, such as dsn: env:INVENTORY", at)
	case s.Import != "sql" && len(s.Paths) == 0:
		return fmt.Errorf("%s: the files are missing, such as paths: [/srv/inventory]", at)
	case (s.Import == "sql" || s.Import == "csv") && (s.Mapping == "") == (s.Prepared == ""):
		return fmt.Errorf("%s: either a mapping or a prepared one says what the columns mean", at)
	case s.Timeout < 0:
		return fmt.Errorf("%s: statementTimeout is %s: a length of time, such as 5m", at, s.Timeout)
	}
	seen[s.Name] = true
	return nil
}
