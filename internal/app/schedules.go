package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/database"
	"github.com/linchpin-cmdb/linchpin/internal/importer/netbox"
	"github.com/linchpin-cmdb/linchpin/internal/importer/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/importer/table"
)

// Schedules reads a file of schedules. It refuses kinds of sources that do not exist.
func Schedules(path string) ([]schedule.Schedule, error) {
	all, err := schedule.Read(path)
	if err != nil {
		return nil, err
	}
	known := []string{"csv", "netbox", "sql"}
	for _, k := range Sources {
		known = append(known, k.Name)
	}
	slices.Sort(known)
	for _, s := range all {
		if !slices.Contains(known, s.Import) {
			return nil, fmt.Errorf("%s: schedule %s: import is %q, and is one of %v", path, s.Name, s.Import, known)
		}
	}
	return all, nil
}

// openScheduled opens what a schedule says.
func openScheduled(s schedule.Schedule) (importer.Source, error) {
	if s.Import == "sql" {
		m, err := mappingOf(s)
		if err != nil {
			return nil, err
		}
		address, err := database.Secret(s.DSN, os.Getenv)
		if err != nil {
			return nil, err
		}
		return database.New(m, database.Options{Address: address, Timeout: s.Timeout})
	}
	paths, err := matching(s.Paths)
	if err != nil {
		return nil, err
	}
	switch s.Import {
	case "csv":
		m, err := mappingOf(s)
		if err != nil {
			return nil, err
		}
		return table.New(m, paths), nil
	case "netbox":
		return netbox.New(paths, netbox.Options{}), nil
	}
	i := slices.IndexFunc(Sources, func(k SourceKind) bool { return k.Name == s.Import })
	if i < 0 {
		return nil, fmt.Errorf("there is no kind of source %q", s.Import)
	}
	return Sources[i].Open(paths)
}

// matching returns the paths that patterns match. A pattern that matches nothing is an error, so that nothing is
// missing since a folder was not there.
func matching(patterns []string) (paths []string, err error) {
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pattern, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: no such file or folder", pattern)
		}
		paths = append(paths, found...)
	}
	return paths, nil
}

func mappingOf(s schedule.Schedule) (*table.Mapping, error) {
	if s.Prepared != "" {
		return table.Prepared(s.Prepared)
	}
	return table.ReadMapping(s.Mapping)
}
