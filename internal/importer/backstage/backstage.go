// Package backstage reads Backstage catalogue files (catalog-info.yaml and their like). It follows no Location and
// fetches nothing: the paths name the files to import.
//
// Components and Resources become CIs of a class by their spec.type, APIs, Systems and Domains CIs of the class of that
// name, Groups teams, Users persons. A reference to an entity that the files do not hold stays in the row.
package backstage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// Source reads Backstage's descriptor format, version backstage.io/v1alpha1 and v1beta1.
type Source struct {
	paths  []string
	limits document.Limits
}

// New returns a source of the files and folders at paths.
func New(paths []string) *Source { return &Source{paths: paths} }

// Name returns "backstage".
func (s *Source) Name() string { return "backstage" }

// Rows yields the notices of documents that cannot be imported as they are read, then the rows in the order in which
// they were read, and last the dangling references that no row can carry. An external id is the entity reference in
// lower case, such as "component:default/artist-lookup"; of two documents with one reference the first counts.
func (s *Source) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return rows(document.Read(ctx, s.paths, s.limits))
}

func rows(documents iter.Seq2[*document.Document, error]) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		c := &catalog{entities: map[ref]*entity{}, files: map[string]bool{}}
		for d, err := range documents {
			var p *importer.Notice
			if err != nil && !errors.As(err, &p) {
				yield(importer.Row{}, err)
				return
			}
			if err == nil {
				p = c.add(d)
			}
			if p != nil && !yield(importer.Row{}, p) {
				return
			}
		}
		c.invert()
		c.mergeReverse()
		for _, e := range c.order {
			if !yield(e.row, nil) {
				return
			}
		}
		for _, p := range append(c.dangling, c.missingTargets()...) {
			if !yield(importer.Row{}, &p) {
				return
			}
		}
	}
}

// entity is a document on its way to a row.
type entity struct {
	ref     ref
	row     importer.Row
	members []mention // the child groups and the users that a Group names
}

type mention struct {
	ref   ref
	line  int
	field string
}

// location is a target of a Location, to be looked for among the files.
type location struct {
	origin importer.Origin
	id     string
	target string
}

// catalog holds all entities of one import: a child names its parent only after the parent has been read.
type catalog struct {
	entities map[ref]*entity
	order    []*entity
	files    map[string]bool // cleaned paths of the files that were read
	targets  []location
	dangling []importer.Notice
}

// add adds the entity of a document, or returns why it cannot be imported.
func (c *catalog) add(d *document.Document) *importer.Notice {
	c.files[filepath.Clean(d.Origin.File)] = true
	notice := func(kind importer.NoticeKind, line int, format string, args ...any) *importer.Notice {
		return &importer.Notice{Origin: d.At(line), Kind: kind, Reason: fmt.Sprintf(format, args...)}
	}
	root := d.Root
	if !root.Is(document.Map) {
		return notice(importer.Rejected, root.Line, "the document is %s; a map with apiVersion, kind and metadata is expected", root.Kind)
	}
	if p := d.Unexpanded(root.At("apiVersion"), root.At("kind")); p != nil {
		return p
	}
	version, kind := root.Text("apiVersion"), root.Text("kind")
	if !strings.HasPrefix(version, "backstage.io/") {
		return notice(importer.Skipped, root.Line, "apiVersion %s, kind %s: no entity of apiVersion backstage.io/…", document.Quote(version), document.Quote(kind))
	}
	toEntity, ok := kinds[strings.ToLower(kind)]
	if !ok {
		return notice(importer.Skipped, root.Line, "kind %s has no place in the CMDB", document.Quote(kind))
	}
	if p := unexpanded(d); p != nil {
		return p
	}
	for _, field := range []string{"metadata", "spec"} {
		if n := root.At(field); !n.Is(document.Map) {
			line := root.Line
			if n != nil {
				line = n.Line
			}
			return notice(importer.Rejected, line, "%s is %s; a map is expected", field, kindOf(n))
		}
	}
	name, namespace := root.Text("metadata", "name"), root.Text("metadata", "namespace")
	if namespace == "" {
		namespace = "default"
	}
	for _, part := range []struct{ field, value string }{{"name", name}, {"namespace", namespace}} {
		if !validName.MatchString(part.value) {
			return notice(importer.Rejected, root.At("metadata").Line, "metadata.%s is %s; 1 to 63 letters, digits, dashes, underscores and dots are expected", part.field, document.Quote(part.value))
		}
	}
	r := &reader{Document: d, ref: newRef(kind, namespace, name), catalog: c}
	if first := c.entities[r.ref]; first != nil {
		p := notice(importer.Duplicate, root.Line, "%s is described twice: the first, at %v, counts; this one was left out", r.ref, first.row.Origin)
		p.ExternalID = r.ref.String()
		return p
	}
	e := toEntity(r)
	e.ref, e.row.Origin = r.ref, d.Origin
	c.entities[r.ref] = e
	notices := d.TakeNotices()
	for i := range notices {
		notices[i].ExternalID = r.ref.String()
	}
	if e.row.CI == nil && e.row.Team == nil && e.row.Person == nil {
		c.dangling = append(c.dangling, notices...) // a Location has no row to carry them
		return nil
	}
	e.row.Notices = notices
	c.order = append(c.order, e)
	return nil
}

// unexpanded returns a notice if there is a placeholder where it would change the identity of the entity or the group
// it belongs to. It passes over descriptions, annotations and API definitions, in which braces may be meant.
func unexpanded(d *document.Document) *importer.Notice {
	for _, section := range []string{"metadata", "spec"} {
		n := d.Root.At(section)
		if !n.Is(document.Map) {
			continue
		}
		for key, value := range n.Map() {
			if key == "description" || key == "annotations" || key == "definition" {
				continue
			}
			if p := d.Unexpanded(value); p != nil {
				p.Reason = section + "." + key + " is " + p.Reason
				return p
			}
		}
	}
	return nil
}

func kindOf(n *document.Node) document.Kind {
	if n == nil {
		return document.Missing
	}
	return n.Kind
}

// invert turns the children and users that groups name into the parents and teams of those, since a row names its
// parents only. A child or user that was not read is dangling.
func (c *catalog) invert() {
	for _, g := range c.order {
		for _, m := range g.members {
			id := g.ref.String()
			e := c.entities[m.ref]
			switch {
			case e == nil:
				c.dangling = append(c.dangling, importer.Notice{
					Origin: importer.Origin{File: g.row.Origin.File, Line: m.line}, Kind: importer.Dangling, ExternalID: id, Target: m.ref.String(),
					Reason: fmt.Sprintf("%s of %s names %s, which is not among what was read", m.field, id, m.ref),
				})
			case e.row.Team != nil && e.row.Team.Parent == "":
				e.row.Team.Parent = id
			case e.row.Team != nil && e.row.Team.Parent != id:
				e.row.Notices = append(e.row.Notices, importer.Notice{
					Origin: importer.Origin{File: g.row.Origin.File, Line: m.line}, Kind: importer.Warning, ExternalID: m.ref.String(),
					Reason: fmt.Sprintf("%s claims %s as a child, which itself names %s as parent; that counts", id, m.ref, e.row.Team.Parent),
				})
			case e.row.Person != nil && !slices.Contains(e.row.Person.Teams, id):
				e.row.Person.Teams = append(e.row.Person.Teams, id)
			}
		}
	}
}

// mergeReverse drops a reverse relationship if the other end states it as well.
func (c *catalog) mergeReverse() {
	type edge struct{ kind, source, target string }
	stated := map[edge]*importer.Relationship{}
	for _, e := range c.order {
		if e.row.CI == nil {
			continue
		}
		for i := range e.row.CI.Relationships {
			if r := &e.row.CI.Relationships[i]; !r.IsReverse {
				stated[edge{r.Type, e.row.CI.ExternalID, r.Target}] = r
			}
		}
	}
	for _, e := range c.order {
		if e.row.CI == nil {
			continue
		}
		for i := range e.row.CI.Relationships {
			r := &e.row.CI.Relationships[i]
			if other := stated[edge{r.Type, r.Target, e.row.CI.ExternalID}]; r.IsReverse && other != nil {
				other.Evidence += "; " + r.Evidence
				r.Type = ""
			}
		}
	}
	for _, e := range c.order {
		if e.row.CI != nil {
			e.row.CI.Relationships = slices.DeleteFunc(e.row.CI.Relationships, func(r importer.Relationship) bool { return r.Type == "" })
		}
	}
}

// missingTargets returns a notice for each target of a Location that does not exist. A target that exists need not be
// among the paths.
func (c *catalog) missingTargets() []importer.Notice {
	var notices []importer.Notice
	for _, l := range c.targets {
		p := importer.Notice{Origin: l.origin, Kind: importer.Dangling, ExternalID: l.id, Target: l.target}
		local := filepath.FromSlash(l.target)
		switch {
		case strings.Contains(l.target, "://"):
			p.Kind, p.Reason = importer.Skipped, fmt.Sprintf("%s leads to %s, which is not fetched; download it and name it as a path", l.id, document.Quote(l.target))
		case strings.ContainsAny(l.target, "*?["):
			continue // a pattern promises no file
		case filepath.IsAbs(local), filepath.VolumeName(local) != "", strings.HasPrefix(l.target, `\`):
			p.Reason = fmt.Sprintf("%s leads to %s; a path relative to its file is expected", l.id, document.Quote(l.target))
		default:
			file := filepath.Join(filepath.Dir(l.origin.File), local)
			if c.files[file] {
				continue
			}
			if _, err := os.Stat(file); err == nil {
				continue
			}
			p.Reason = fmt.Sprintf("%s leads to %s, where there is no file", l.id, document.Quote(l.target))
		}
		notices = append(notices, p)
	}
	return notices
}
