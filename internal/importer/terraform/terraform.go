// Package terraform reads the state of Terraform and OpenTofu: state files of version 4, and what "show -json" prints
// of a state. Of attributes it takes what a list for the class allows, since states hold passwords and keys.
package terraform

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// longestFile bounds a state, in bytes.
const longestFile = 128 << 20

// Source reads states.
type Source struct {
	paths   []string
	serials []importer.Serial
}

// New returns a source of the files at paths, and of the .tfstate and .json files of folders.
func New(paths []string) *Source { return &Source{paths: paths} }

// Name returns "terraform".
func (s *Source) Name() string { return "terraform" }

// Serials returns the serials of the states that were read, by their lineages.
func (s *Source) Serials() []importer.Serial { return s.serials }

// Rows yields the resources of each state that have a class, and one notice of those that have none. An external id is
// lineage/address, such as 2f9ab173…/module.shop.aws_lb.front[0]; what "show -json" prints has no lineage. Of two files
// with one lineage the one with the higher serial counts.
func (s *Source) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		states, notices, err := s.states(ctx)
		if err != nil {
			yield(importer.Row{}, err)
			return
		}
		s.serials = nil
		for _, st := range states {
			if st.lineage != "" {
				s.serials = append(s.serials, importer.Serial{Part: st.lineage, File: st.file, Number: st.serial})
			}
			rows, more := st.rows()
			notices = append(notices, more...)
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
		for _, n := range notices {
			if !yield(importer.Row{}, n) {
				return
			}
		}
	}
}

// states reads all files, and leaves out those that are older than another of the same lineage.
func (s *Source) states(ctx context.Context) (states []*state, notices []*importer.Notice, err error) {
	for _, path := range s.paths {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("%s: no such file or folder: %w", path, fs.ErrNotExist)
		}
	}
	newest := map[string]*state{}
	for file, err := range document.Files(ctx, s.paths, []string{".tfstate", ".json"}, document.Limits{FileBytes: longestFile}) {
		var notice *importer.Notice
		if errors.As(err, &notice) {
			notices = append(notices, notice)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		st, notice := parse(file.Name, file.Content)
		if notice != nil {
			notices = append(notices, notice)
			continue
		}
		before := newest[st.lineage]
		switch {
		case st.lineage == "" || before == nil:
			states = append(states, st)
		case before.serial >= st.serial:
			notices = append(notices, older(st, before))
			continue
		default:
			notices = append(notices, older(before, st))
			states[slices.Index(states, before)] = st
		}
		newest[st.lineage] = st
	}
	return states, notices, nil
}

func older(st, than *state) *importer.Notice {
	return rejected(st.file, 0, "serial %d of lineage %s is not newer than serial %d in %s, which counts", st.serial, st.lineage, than.serial, than.file)
}

func rejected(file string, line int, format string, args ...any) *importer.Notice {
	return &importer.Notice{Origin: importer.Origin{File: file, Line: line}, Kind: importer.Rejected, Reason: fmt.Sprintf(format, args...)}
}

// resource is one instance of a resource.
type resource struct {
	address string // with its index
	base    string // without
	module  string
	kind    string // such as aws_instance
	name    string
	values  values
	needs   []string // addresses of resources, without indexes
	line    int

	isTainted bool
	class     string // "" if it has none
}

// state is a state as it was read.
type state struct {
	file      string
	lineage   string
	serial    int64
	resources []*resource
	byBase    map[string][]*resource
	byID      map[string]*resource // by ids, ARNs and links
}

// index finds resources by what others call them.
func (st *state) index() {
	st.byBase, st.byID = map[string][]*resource{}, map[string]*resource{}
	for _, r := range st.resources {
		r.class = classOf(r.kind)
		st.byBase[r.base] = append(st.byBase[r.base], r)
		for _, name := range []string{"id", "arn", "self_link"} {
			if id := r.values.text(name); id != "" {
				if _, ok := st.byID[fold(id)]; !ok {
					st.byID[fold(id)] = r
				}
			}
		}
	}
}

// fold returns an id in the form in which ids are compared: Azure's differ in case from call to call.
func fold(id string) string {
	if strings.HasPrefix(id, "/subscriptions/") {
		return strings.ToLower(id)
	}
	return id
}

// key returns the external id of a resource.
func (st *state) key(r *resource) string {
	if st.lineage == "" {
		return r.address
	}
	return st.lineage + "/" + r.address
}

// named returns the resources that a dependency names. States of before 0.12 leave the module out.
func (st *state) named(by *resource, address string) []*resource {
	if found := st.byBase[address]; found != nil || by.module == "" {
		return found
	}
	return st.byBase[by.module+"."+address]
}
