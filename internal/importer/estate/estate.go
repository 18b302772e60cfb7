// Package estate reads an estate written by hand in YAML: teams, people, and CIs with their relationships and
// dependency groups. It refuses what it does not know, naming file and line, and resolves no references:
// that a target exists is for the importer to find out.
//
// A file holds one or more YAML documents. Each may have five fields:
//
//	classes:                       # of CIs, beside those that every database has
//	  turbine: {parent: device, label: Turbine, attributes: {properties: {rotor: {type: string}}}, identity: [[rotor]]}
//	defaults:                      # filled into every CI of this document
//	  class: virtual_machine
//	  environment: PRODUCTION
//	  labels: {zone: rotterdam}    # labels and attributes are merged key by key
//	  owners: [team-platform: operator]
//	  relationships: {virtualized_by: vmcluster-rtm} # relationships and groups are added to the CI's own
//	teams:
//	  team-orders: {name: Orders, email: orders@example.com, parent: team-shop}
//	people:
//	  mei.tanaka: {name: Mei Tanaka, email: mei.tanaka@example.com, teams: [team-orders]}
//	cis:
//	  orders:                      # the external id, and the name unless there is one
//	    class: application_service
//	    description: Takes an order and keeps it.
//	    keys: {servicenow: 9d385017}                  # its keys in other spaces
//	    service: {tier: tier-1, links: [RUNBOOK: "https://runbooks.example.com/orders"]}
//	    owners: [team-orders: operator, person/mei.tanaka: product] # the first is the primary
//	    relationships:
//	      depends_on: [orders-db-primary, mailer: SOFT] # the type's own strength, or the one given
//	      ^provides_api: orders-gateway                 # ^ turns it round: orders-gateway provides_api orders
//	    groups:                    # members are relationships too and need no second mention
//	      sites: {mode: ANY, members: {depends_on: [orders-rtm, orders-ham]}}
//	      paths: {mode: WEIGHTED, threshold: 50, members: {depends_on: [fast: 40, slow: 10]}}
//
// An owner is a team unless it begins with "person/". Aliases and merge keys are refused: defaults do their
// work, and no file can grow while it is read.
package estate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// maxFileSize bounds what one file may cost; the largest hand-written estate is a hundredth of it.
const maxFileSize = 16 << 20

// Source yields the rows of estate files in the order in which they are written, files by path.
type Source struct {
	name  string
	files func(context.Context) iter.Seq2[document.File, error]
}

var extensions = []string{".yaml", ".yml"}

// New returns a source of every .yaml and .yml file of fsys. Origins are paths within it.
func New(name string, fsys fs.FS) *Source {
	return &Source{name: name, files: func(ctx context.Context) iter.Seq2[document.File, error] {
		return func(yield func(document.File, error) bool) {
			err := fs.WalkDir(fsys, ".", func(p string, entry fs.DirEntry, err error) error {
				if err == nil {
					err = ctx.Err()
				}
				if err != nil || entry.IsDir() || !slices.Contains(extensions, path.Ext(p)) {
					return err
				}
				content, err := fs.ReadFile(fsys, p)
				if err == nil && !yield(document.File{Name: p, Content: content}, nil) {
					return fs.SkipAll
				}
				return err
			})
			if err != nil {
				yield(document.File{}, err)
			}
		}
	}}
}

// Open returns a source of files, whatever their extension, and of all .yaml and .yml files below folders, read as
// document.Files does.
func Open(name string, paths ...string) (*Source, error) {
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			return nil, err
		}
	}
	return &Source{name: name, files: func(ctx context.Context) iter.Seq2[document.File, error] {
		return document.Files(ctx, paths, extensions, document.Limits{FileBytes: maxFileSize})
	}}, nil
}

// Name returns the provenance of the rows.
func (s *Source) Name() string { return s.name }

// Rows reads the files anew each time. Mistakes are yielded as *importer.Notice: a record with a mistake is left out
// alone; a syntax error ends its file, since nothing after it can be trusted.
func (s *Source) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		seen := register{}
		for file, err := range s.files(ctx) {
			if problem := (*importer.Notice)(nil); errors.As(err, &problem) {
				if !yield(importer.Row{Origin: problem.Origin}, err) {
					return
				}
				continue
			}
			if err != nil {
				yield(importer.Row{}, fmt.Errorf("estate %s: %w", s.name, err))
				return
			}
			for row, err := range parse(file.Name, file.Content) {
				if ended := ctx.Err(); ended != nil {
					yield(importer.Row{}, ended)
					return
				}
				if err == nil {
					err = seen.claim(row)
				}
				if !yield(row, err) {
					return
				}
			}
		}
	}
}

// register holds the place where each external id was first used; teams, people and CIs have separate ids.
type register map[string]importer.Origin

func (r register) claim(row importer.Row) error {
	var kind, id string
	switch {
	case row.CI != nil:
		kind, id = "CI", row.CI.ExternalID
	case row.Team != nil:
		kind, id = "team", row.Team.ExternalID
	case row.Person != nil:
		kind, id = "person", row.Person.ExternalID
	}
	first, ok := r[kind+" "+id]
	if ok {
		return &importer.Notice{
			Origin: row.Origin, Kind: importer.Duplicate, ExternalID: id,
			Reason: fmt.Sprintf("the %s %q is already written at %s:%d; keep one of them", kind, id, first.File, first.Line),
		}
	}
	r[kind+" "+id] = row.Origin
	return nil
}
