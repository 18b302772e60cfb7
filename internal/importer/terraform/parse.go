package terraform

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// head is what tells the kinds of files from one another.
type head struct {
	Version         json.RawMessage   `json:"version"`
	FormatVersion   string            `json:"format_version"`
	Lineage         string            `json:"lineage"`
	Serial          int64             `json:"serial"`
	Resources       []json.RawMessage `json:"resources"`
	EncryptedData   json.RawMessage   `json:"encrypted_data"`
	ResourceChanges json.RawMessage   `json:"resource_changes"`
	Values          *struct {
		Root module `json:"root_module"`
	} `json:"values"`
}

// module is a module of "show -json".
type module struct {
	Resources []json.RawMessage `json:"resources"`
	Children  []module          `json:"child_modules"`
}

// parse reads a file. It refuses what is no state of version 4, and says what to do about it.
func parse(file string, content []byte) (*state, *importer.Notice) {
	var h head
	if err := json.Unmarshal(content, &h); err != nil {
		return nil, rejected(file, 1, "this is no state: %v", jsonFault(err))
	}
	st := &state{file: file, lineage: h.Lineage, serial: h.Serial}
	var err *importer.Notice
	switch version := string(h.Version); {
	case h.EncryptedData != nil:
		return nil, rejected(file, 1, "the state is encrypted: import what `tofu show -json` prints")
	case h.ResourceChanges != nil:
		return nil, rejected(file, 1, "this is a plan, not a state: import what `terraform show -json` prints without a plan, or draft a change of it by linchpin import terraform-plan")
	case h.FormatVersion != "" && h.Values != nil:
		err = st.readShown(content, h.Values.Root)
	case h.FormatVersion != "":
		return nil, rejected(file, 1, "what `show -json` printed holds no state: it is empty")
	case version == "4":
		err = st.readState(content, h.Resources)
	case version == "1" || version == "2" || version == "3":
		return nil, rejected(file, 1, "this is a state of version %s, of a Terraform before 0.12: upgrade it, with Terraform 0.12 or newer, by `terraform init && terraform refresh`", version)
	case version != "":
		return nil, rejected(file, 1, "this is a state of version %.20s: version 4 is known", version)
	default:
		return nil, rejected(file, 1, "this is no state of Terraform or OpenTofu, and not what `show -json` prints")
	}
	if err != nil {
		return nil, err
	}
	st.index()
	return st, nil
}

// jsonFault returns what is wrong with JSON. It repeats no value.
func jsonFault(err error) string {
	switch err := err.(type) { //nolint:errorlint // the decoder returns these unwrapped
	case *json.SyntaxError:
		return fmt.Sprintf("broken JSON at byte %d", err.Offset)
	case *json.UnmarshalTypeError:
		return fmt.Sprintf("%s has another shape than in a state", cmp.Or(err.Field, "it"))
	}
	return "broken JSON"
}

// lines finds the lines in which the parts of a file stand, one after the other.
type lines struct {
	content []byte
	at      int
	line    int
}

// of returns the line of a part that follows the one before.
func (l *lines) of(part []byte) int {
	i := bytes.Index(l.content[l.at:], part)
	if i < 0 {
		return 0
	}
	l.line += bytes.Count(l.content[l.at:l.at+i], []byte{'\n'})
	line := l.line + 1
	l.line += bytes.Count(part, []byte{'\n'})
	l.at += i + len(part)
	return line
}

// readState reads the resources of a state file.
func (st *state) readState(content []byte, resources []json.RawMessage) *importer.Notice {
	at := &lines{content: content}
	for _, raw := range resources {
		line := at.of(raw)
		var r struct {
			Module, Mode, Type, Name string
			Instances                []struct {
				IndexKey       any    `json:"index_key"`
				Status         string `json:"status"`
				Deposed        string `json:"deposed"`
				Attributes     values `json:"attributes"`
				AttributesFlat values `json:"attributes_flat"`
				Dependencies   []string
				DependsOn      []string `json:"depends_on"`
			}
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			return rejected(st.file, line, "the resource cannot be read: %s", jsonFault(err))
		}
		if r.Mode != "managed" {
			continue
		}
		base := r.Type + "." + r.Name
		if r.Module != "" {
			base = r.Module + "." + base
		}
		for _, i := range r.Instances {
			if i.Deposed != "" {
				continue
			}
			one := &resource{
				address: base + indexText(i.IndexKey), base: withoutIndexes(base), module: r.Module, kind: r.Type, name: r.Name, values: i.Attributes,
				needs: append(i.Dependencies, i.DependsOn...), line: line, isTainted: i.Status == "tainted",
			}
			if one.values == nil {
				one.values = i.AttributesFlat
			}
			st.resources = append(st.resources, one)
		}
	}
	return nil
}

// readShown reads the resources of a module and those below it, as "show -json" prints them.
func (st *state) readShown(content []byte, m module) *importer.Notice {
	return st.readModule(&lines{content: content}, m)
}

func (st *state) readModule(at *lines, m module) *importer.Notice {
	for _, raw := range m.Resources {
		line := at.of(raw)
		var r struct {
			Address, Mode, Type, Name string
			Index                     any
			Values                    values
			DependsOn                 []string `json:"depends_on"`
			Tainted                   bool
			DeposedKey                string `json:"deposed_key"`
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			return rejected(st.file, line, "the resource cannot be read: %s", jsonFault(err))
		}
		if r.Mode != "managed" || r.DeposedKey != "" {
			continue
		}
		own := strings.TrimSuffix(r.Address, indexText(r.Index))
		module := strings.TrimSuffix(strings.TrimSuffix(own, r.Type+"."+r.Name), ".")
		st.resources = append(st.resources, &resource{
			address: r.Address, base: withoutIndexes(own), module: module, kind: r.Type, name: r.Name, values: r.Values, needs: r.DependsOn, line: line, isTainted: r.Tainted,
		})
	}
	for _, child := range m.Children {
		if wrong := st.readModule(at, child); wrong != nil {
			return wrong
		}
	}
	return nil
}

// indexText returns the index of an instance as addresses have it.
func indexText(index any) string {
	switch index := index.(type) {
	case float64:
		return "[" + strconv.FormatFloat(index, 'f', -1, 64) + "]"
	case string:
		return "[" + strconv.Quote(index) + "]"
	}
	return ""
}

// withoutIndexes takes the indexes out of an address, since dependencies are named without those of modules.
func withoutIndexes(address string) string {
	var b strings.Builder
	depth, quoted := 0, false
	for i, r := range address {
		switch {
		case quoted:
			quoted = r != '"' || address[i-1] == '\\'
		case r == '"' && depth > 0:
			quoted = true
		case r == '[':
			depth++
		case r == ']':
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// values are the attributes of a resource that are on one of the lists; the others are not kept.
type values map[string]any

// UnmarshalJSON keeps what is on the lists.
func (v *values) UnmarshalJSON(content []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(content, &all); err != nil || all == nil {
		return err
	}
	*v = values{}
	for name, raw := range all {
		// Flat attributes write lists as name.NUMBER.
		if first, _, _ := strings.Cut(name, "."); !read[first] {
			continue
		}
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return err
		}
		(*v)[name] = value
	}
	return nil
}

// text returns an attribute that is one text, or "".
func (v values) text(name string) string {
	switch value := v[name].(type) {
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return ""
}

// texts returns an attribute of one or several texts.
func (v values) texts(name string) (all []string) {
	switch value := v[name].(type) {
	case string:
		if value != "" {
			all = append(all, value)
		}
	case []any:
		for _, item := range value {
			if s, ok := item.(string); ok && s != "" {
				all = append(all, s)
			}
		}
	}
	for key, value := range v {
		if rest, ok := strings.CutPrefix(key, name+"."); ok && rest != "#" {
			if s, ok := value.(string); ok && s != "" {
				all = append(all, s)
			}
		}
	}
	return all
}

// has reports whether an attribute is there, if only as an empty list.
func (v values) has(name string) bool {
	if value, ok := v[name]; ok {
		return value != nil
	}
	_, ok := v[name+".#"]
	return ok
}

// blocks returns the blocks of an attribute, such as the ingress rules of a security group.
func (v values) blocks(name string) (all []values) {
	list, _ := v[name].([]any)
	for _, item := range list {
		if block, ok := item.(map[string]any); ok {
			all = append(all, block)
		}
	}
	return all
}
