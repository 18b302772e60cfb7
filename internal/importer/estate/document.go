package estate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// parse yields the records of one file.
func parse(file string, content []byte) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		reject := func(at int, id string, err error) bool {
			p := &importer.Notice{Origin: importer.Origin{File: file, Line: at}, Kind: importer.Rejected, ExternalID: id, Reason: err.Error()}
			if m := (*mistake)(nil); errors.As(err, &m) {
				p.Origin.Line, p.Reason = m.line, m.reason
			}
			return yield(importer.Row{Origin: p.Origin}, p)
		}
		if len(content) > maxFileSize {
			reject(1, "", fmt.Errorf("the file is larger than %d MiB; split it", maxFileSize>>20))
			return
		}
		for doc, err := range documents(content) {
			if err != nil {
				line, reason := syntaxError(err)
				reject(line, "", errors.New(reason))
				return
			}
			found, err := records(doc)
			if err != nil && !reject(doc.Line, "", err) {
				return
			}
			for _, r := range found {
				row, err := r.row()
				row.Origin = importer.Origin{File: file, Line: r.at.Line}
				if err != nil && !reject(r.at.Line, r.id, err) || err == nil && !r.isClass && !yield(row, nil) {
					return
				}
			}
		}
	}
}

// documents yields the documents of a file. A syntax error ends them.
func documents(content []byte) iter.Seq2[*yaml.Node, error] {
	return func(yield func(*yaml.Node, error) bool) {
		decoder := yaml.NewDecoder(bytes.NewReader(content))
		for {
			var doc yaml.Node
			err := decoder.Decode(&doc)
			if errors.Is(err, io.EOF) || !yield(&doc, err) || err != nil {
				return
			}
		}
	}
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// syntaxError returns the line and the reason in the parser's message. Some messages have no line.
func syntaxError(err error) (line int, reason string) {
	reason = strings.TrimPrefix(err.Error(), "yaml: ")
	line = 1
	if m := yamlLine.FindStringSubmatch(reason); m != nil {
		line, _ = strconv.Atoi(m[1])
		reason = reason[len(m[0]):]
	}
	return line, "this is no valid YAML: " + reason
}

// record is one entry of a section, still to be read.
type record struct {
	id       string
	at, body *yaml.Node
	read     func(id string, n *yaml.Node) (importer.Row, error)
	isClass  bool // which is no row: see Classes
}

func (r record) row() (importer.Row, error) { return r.read(r.id, r.body) }

// records splits a document into records. An error concerns the document as a whole, and then no record of it is
// returned: without the defaults each would mean something else.
func records(doc *yaml.Node) (all []record, err error) {
	if err := plain(doc); err != nil {
		return nil, err
	}
	root := doc
	if doc.Kind == yaml.DocumentNode {
		root = doc.Content[0]
	}
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil, nil
	}
	defaults := draft{}
	section := func(read func(string, *yaml.Node) (importer.Row, error)) setter {
		return func(n *yaml.Node) error {
			return pairs(n, func(id string, at, body *yaml.Node) error {
				all = append(all, record{id, at, body, read, false})
				return nil
			})
		}
	}
	classes := func(n *yaml.Node) error {
		return pairs(n, func(code string, at, body *yaml.Node) error {
			all = append(all, record{code, at, body, func(code string, n *yaml.Node) (importer.Row, error) {
				_, err := class(code, n)
				return importer.Row{}, err
			}, true})
			return nil
		})
	}
	err = fields(root, map[string]setter{
		"defaults": func(n *yaml.Node) error { return defaults.read(n) },
		"classes":  classes,
		"teams":    section(team),
		"people":   section(person),
		"cis":      section(func(id string, n *yaml.Node) (importer.Row, error) { return defaults.ci(id, n) }),
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func team(id string, n *yaml.Node) (importer.Row, error) {
	t := &importer.Team{ExternalID: id, Name: id}
	err := fields(n, map[string]setter{
		"name":        text(&t.Name),
		"description": text(&t.Description),
		"email":       text(&t.Email),
		"parent":      text(&t.Parent),
	})
	return importer.Row{Team: t}, err
}

func person(id string, n *yaml.Node) (importer.Row, error) {
	p := &importer.Person{ExternalID: id, Name: id}
	err := fields(n, map[string]setter{
		"name":  text(&p.Name),
		"email": text(&p.Email),
		"teams": func(n *yaml.Node) error {
			return items(n, func(team string, at, more *yaml.Node) error {
				if more != nil {
					return wrong(at, "a team here is an id alone, such as [team-orders]")
				}
				p.Teams = append(p.Teams, team)
				return nil
			})
		},
	})
	return importer.Row{Person: p}, err
}
