// Package netbox reads what NetBox's "manage.py dumpdata" writes, and the pages of its REST API: sites, racks, devices,
// virtual machines, and the cables between them. Keys are model:pk, such as dcim.device:7.
package netbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// longestFile bounds a file, in bytes.
const longestFile = 256 << 20

// Options say what is read, and as what.
type Options struct {
	// PatchPanels brings patch panels in, which otherwise are walked through.
	PatchPanels bool
	// Roles are the classes of devices, by the slugs of their roles; they come before the usual ones.
	Roles map[string]string
}

// Source reads NetBox's files.
type Source struct {
	paths   []string
	options Options
}

// New returns a source of the files at paths, and of the .json files of folders.
func New(paths []string, o Options) *Source { return &Source{paths, o} }

// Name returns "netbox".
func (s *Source) Name() string { return "netbox" }

// Rows reads all files, and then yields sites, rooms, racks, devices, clusters and virtual machines.
func (s *Source) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		for _, path := range s.paths {
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				yield(importer.Row{}, fmt.Errorf("%s: no such file or folder: %w", path, fs.ErrNotExist))
				return
			}
		}
		all := &inventory{options: s.options, objects: map[string]map[int64]*object{}}
		for file, err := range document.Files(ctx, s.paths, []string{".json"}, document.Limits{FileBytes: longestFile}) {
			notice := (*importer.Notice)(nil)
			if err != nil && !errors.As(err, &notice) {
				yield(importer.Row{}, err)
				return
			}
			if notice == nil {
				notice = all.read(file.Name, file.Content)
			}
			if notice != nil && !yield(importer.Row{}, notice) {
				return
			}
		}
		for _, row := range all.rows() {
			if !yield(row, nil) {
				return
			}
		}
		for _, n := range all.notices {
			if !yield(importer.Row{}, n) {
				return
			}
		}
	}
}

func notice(kind importer.NoticeKind, file string, line int, format string, args ...any) *importer.Notice {
	return &importer.Notice{Origin: importer.Origin{File: file, Line: line}, Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

// object is a record of NetBox.
type object struct {
	model  string
	pk     int64
	fields map[string]any
	origin importer.Origin
}

func (o *object) key() string { return fmt.Sprintf("%s:%d", o.model, o.pk) }

// text returns a field that is a text or a number, or a choice as the REST API shows it.
func (o *object) text(name string) string {
	if o == nil {
		return ""
	}
	switch value := o.fields[name].(type) {
	case string:
		return strings.TrimSpace(value)
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case map[string]any:
		text, _ := value["value"].(string)
		return text
	}
	return ""
}

// ref returns the primary key that a field refers to, or 0.
func (o *object) ref(name string) int64 {
	if o == nil {
		return 0
	}
	return pkOf(o.fields[name])
}

func pkOf(value any) int64 {
	switch value := value.(type) {
	case float64:
		return int64(value)
	case map[string]any:
		return pkOf(value["id"])
	}
	return 0
}

// inventory is all that was read.
type inventory struct {
	options Options
	objects map[string]map[int64]*object // by model and primary key
	order   []*object
	notices []*importer.Notice
}

func (v *inventory) get(model string, pk int64) *object { return v.objects[model][pk] }

// read reads a file: a list of objects, or a page.
func (v *inventory) read(file string, content []byte) *importer.Notice {
	var list []json.RawMessage
	isPage := false
	if err := json.Unmarshal(content, &list); err != nil {
		var page struct {
			Next    *string            `json:"next"`
			Results *[]json.RawMessage `json:"results"`
		}
		if err := json.Unmarshal(content, &page); err != nil || page.Results == nil {
			return notice(importer.Rejected, file, 1, "this is neither a list of objects, as manage.py dumpdata writes it, nor a page of the REST API with results")
		}
		list, isPage = *page.Results, true
	}
	line, at, nameless := 1, 0, 0
	for _, raw := range list {
		// Objects stand one after the other, each as it is written.
		next := bytes.Index(content[at:], raw)
		line += bytes.Count(content[at:at+next], []byte{'\n'})
		origin := importer.Origin{File: file, Line: line}
		line += bytes.Count(raw, []byte{'\n'})
		at += next + len(raw)
		o := &object{origin: origin}
		if isPage {
			o.fromPage(raw)
		} else {
			o.fromDump(raw)
		}
		if o.model == "" || o.pk == 0 {
			nameless++
			continue
		}
		if v.objects[o.model] == nil {
			v.objects[o.model] = map[int64]*object{}
		}
		if first := v.get(o.model, o.pk); first != nil {
			n := notice(importer.Duplicate, file, origin.Line, "%s is described twice: the first, at %s, counts", o.key(), first.origin)
			n.ExternalID = o.key()
			v.notices = append(v.notices, n)
			continue
		}
		v.objects[o.model][o.pk] = o
		v.order = append(v.order, o)
	}
	if nameless > 0 {
		v.notices = append(v.notices, notice(importer.Skipped, file, 0, "%d objects without a model or a primary key", nameless))
	}
	return nil
}

func (o *object) fromDump(raw json.RawMessage) {
	var dumped struct {
		Model  string         `json:"model"`
		PK     any            `json:"pk"`
		Fields map[string]any `json:"fields"`
	}
	if json.Unmarshal(raw, &dumped) == nil {
		o.model, o.pk, o.fields = dumped.Model, pkOf(dumped.PK), dumped.Fields
	}
}

// resource matches the address of an object of the REST API.
var resource = regexp.MustCompile(`/api/([a-z]+)/([a-z-]+)/[0-9]+/$`)

// models are the models of the REST API's resources whose names are not the plural of the model's.
var models = map[string]string{"switches": "switch", "ip-addresses": "ipaddress", "chassis": "chassis"}

func (o *object) fromPage(raw json.RawMessage) {
	if json.Unmarshal(raw, &o.fields) != nil {
		return
	}
	address, _ := o.fields["url"].(string)
	m := resource.FindStringSubmatch(address)
	if m == nil {
		return
	}
	name, ok := models[m[2]]
	if !ok {
		name = strings.TrimSuffix(strings.ReplaceAll(m[2], "-", ""), "s")
	}
	o.model, o.pk = m[1]+"."+name, pkOf(o.fields["id"])
}
