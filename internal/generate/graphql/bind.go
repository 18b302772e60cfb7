package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2"
	graphql "github.com/vektah/gqlparser/v2/ast"
)

const (
	module         = "github.com/linchpin-cmdb/linchpin/"
	readPackage    = "graph/read"
	pagePackage    = "graph/page"
	wherePackage   = "graph/where"
	presentPackage = "graph/present"
	domainPackage  = "internal/domain"
	scalarPackage  = "graph/scalar"
	statesPackage  = "internal/rule/lifecycle"

	practices = "internal/practice"
)

// bindings derives which Go type stands for each type of the contract, from the names on both sides. It leaves alone
// the types that gqlgen.yml binds, and refuses a type without a Go type of its name.
//
//   - XConnection, XEdge: page.Connection and page.Edge of read.X; XFilter of an enum: where.Choice of domain.X
//   - a payload that has one record, userErrors and warnings: present.Payload of it
//   - XInput: the struct X of a practice, which may leave out the practice's own noun: DraftChangeInput is change.Draft
//   - everything else: the type of the same name in read, present, domain, scalar or lifecycle
//
// gqlgen binds no instances of generic types, only names for them: derive writes those, too.
type bindings struct {
	contract *graphql.Schema
	types    map[string]map[string]bool // by package, the types that are written by hand
	bound    config.TypeMap
	faults   []string
}

// aliases are the names of generic types in a package.
type aliases map[string]string

// derive returns the bindings of the contract beside those given, and the files of aliases that they need by path.
func derive(contract *graphql.Schema, types map[string]map[string]bool, given config.TypeMap) (config.TypeMap, map[string][]byte, error) {
	b := bindings{contract, types, config.TypeMap{}, nil}
	pages, payloads := aliases{}, aliases{}
	for _, name := range slices.Sorted(maps.Keys(contract.Types)) {
		def := contract.Types[name]
		if def.BuiltIn || given.UserDefined(name) || isRoot(contract, def) {
			continue
		}
		if !b.page(def, pages) && !b.payload(def, payloads) && !b.named(def) {
			b.faults = append(b.faults, fmt.Sprintf("%s (%s): no Go type has its name: declare one, or bind it in gqlgen.yml", name, def.Position.Src.Name))
		}
	}
	if len(b.faults) > 0 {
		return nil, nil, fmt.Errorf("types of the contract are not bound:\n%s", strings.Join(b.faults, "\n"))
	}
	files := map[string][]byte{}
	for path, list := range map[string]aliases{readPackage + "/page_names.go": pages, presentPackage + "/payload_names.go": payloads} {
		text, err := list.file(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, nil, err
		}
		files[path] = text
	}
	return b.bound, files, nil
}

func isRoot(contract *graphql.Schema, def *graphql.Definition) bool {
	return def == contract.Query || def == contract.Mutation || def == contract.Subscription
}

func (b *bindings) has(pkg, name string) bool { return b.types[pkg][name] }

func (b *bindings) bind(def *graphql.Definition, pkg, name string) bool {
	b.bound.Add(def.Name, module+pkg+"."+name)
	return true
}

// page binds the pages of a record and the filters of an enum.
func (b *bindings) page(def *graphql.Definition, names aliases) bool {
	if b.has(readPackage, def.Name) {
		return false
	}
	for suffix, generic := range map[string]string{"Connection": "page.Connection[*%s]", "Edge": "page.Edge[*%s]", "Filter": "where.Choice[domain.%s]"} {
		record, ok := strings.CutSuffix(def.Name, suffix)
		pkg := readPackage
		if suffix == "Filter" {
			pkg = domainPackage
			of := b.contract.Types[record]
			ok = ok && of != nil && of.Kind == graphql.Enum
		}
		if ok && b.has(pkg, record) {
			names[def.Name] = fmt.Sprintf(generic, record)
			return b.bind(def, readPackage, def.Name)
		}
	}
	return false
}

// payload binds what answers a mutation with a record, and nothing else but what is to be mended or looked at again.
func (b *bindings) payload(def *graphql.Definition, names aliases) bool {
	if !strings.HasSuffix(def.Name, "Payload") || b.has(presentPackage, def.Name) ||
		len(def.Fields) != 3 || def.Fields.ForName("userErrors") == nil || def.Fields.ForName("warnings") == nil {
		return false
	}
	field := def.Fields[0]
	name, of := field.Type.Name()+"Payload", "*read."+field.Type.Name()
	switch {
	case field.Type.Elem != nil:
		return false
	case field.Type.Name() == "ID":
		name, of = "DeletedPayload", "*ident.ID"
	case !b.has(readPackage, field.Type.Name()):
		return false
	}
	names[name] = "Payload[" + of + "]"
	b.bind(def, presentPackage, name)
	entry := b.bound[def.Name]
	entry.Fields = map[string]config.TypeMapField{field.Name: {FieldName: "Record"}}
	b.bound[def.Name] = entry
	return true
}

// named binds a type to the one Go type of its name.
func (b *bindings) named(def *graphql.Definition) bool {
	bare := strings.TrimSuffix(def.Name, "Input")
	if def.Kind == graphql.InputObject && bare != def.Name {
		var found []string
		for _, pkg := range slices.Sorted(maps.Keys(b.types)) {
			noun := strings.Title(filepath.Base(pkg)) //nolint:staticcheck // package names are plain words
			if !strings.HasPrefix(pkg, practices+"/") {
				continue
			}
			for _, name := range slices.Compact([]string{bare, strings.Replace(bare, noun, "", 1)}) {
				if b.has(pkg, name) {
					found = append(found, pkg+"."+name)
				}
			}
		}
		switch {
		case len(found) > 1:
			b.faults = append(b.faults, fmt.Sprintf("%s: it may be any of %s: bind it in gqlgen.yml", def.Name, strings.Join(found, ", ")))
			return true
		case len(found) == 1:
			b.bound.Add(def.Name, module+found[0])
			return true
		}
	}
	for _, pkg := range []string{readPackage, presentPackage, domainPackage, scalarPackage, statesPackage} {
		for _, name := range []string{def.Name, bare} {
			if b.has(pkg, name) && (name == def.Name || def.Kind == graphql.InputObject) {
				return b.bind(def, pkg, name)
			}
		}
	}
	return false
}

// file writes the names of generic types as a Go file.
func (a aliases) file(pkg string) ([]byte, error) {
	var w bytes.Buffer
	fmt.Fprintf(&w, "// Code generated by internal/generate/graphql. DO NOT EDIT.\n\npackage %s\n\n", pkg)
	w.WriteString("import (\n")
	for _, path := range []string{pagePackage, readPackage, wherePackage, domainPackage, "internal/ident"} {
		if slices.ContainsFunc(slices.Collect(maps.Values(a)), func(generic string) bool { return strings.Contains(generic, filepath.Base(path)+".") }) {
			fmt.Fprintf(&w, "%q\n", module+path)
		}
	}
	w.WriteString(")\n")
	w.WriteString("\n// The types of the contract that are instances of a generic type, by name.\ntype (\n")
	for _, name := range slices.Sorted(maps.Keys(a)) {
		fmt.Fprintf(&w, "%s = %s\n", name, a[name])
	}
	w.WriteString(")\n")
	return format.Source(w.Bytes())
}

// typesOf returns the types that are declared by hand in the packages that the contract is bound to, by package.
func typesOf(packages ...string) (map[string]map[string]bool, error) {
	all := map[string]map[string]bool{}
	for _, pkg := range packages {
		files, err := filepath.Glob(filepath.Join(pkg, "*.go"))
		if err != nil {
			return nil, err
		}
		all[pkg] = map[string]bool{}
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				return nil, err
			}
			if ast.IsGenerated(file) || strings.HasSuffix(name, "_test.go") {
				continue
			}
			for _, d := range file.Decls {
				switch d := d.(type) {
				case *ast.GenDecl:
					for _, spec := range d.Specs {
						if spec, ok := spec.(*ast.TypeSpec); ok {
							all[pkg][spec.Name.Name] = true
						}
					}
				case *ast.FuncDecl: // a scalar is a pair of functions for a type of Go's own
					if scalar, ok := strings.CutPrefix(d.Name.Name, "Marshal"); ok && d.Recv == nil {
						all[pkg][scalar] = true
					}
				}
			}
		}
	}
	return all, nil
}

// bindContract completes the bindings of a configuration and writes the names that they need.
func bindContract(c *config.Config) error {
	folders, err := filepath.Glob(practices + "/*")
	if err != nil {
		return err
	}
	types, err := typesOf(append(folders, readPackage, presentPackage, domainPackage, scalarPackage, statesPackage)...)
	if err != nil {
		return err
	}
	contract, err := gqlparser.LoadSchema(c.Sources...)
	if err != nil {
		return err
	}
	bound, files, err := derive(contract, types, c.Models)
	if err != nil {
		return err
	}
	for path, text := range files {
		if err := os.WriteFile(path, text, 0o644); err != nil { //nolint:gosec // source is for everyone to read
			return err
		}
	}
	maps.Copy(c.Models, bound)
	return os.WriteFile("graph/bindings.txt", golden(c.Models), 0o644) //nolint:gosec // for everyone to read
}

// golden lists what each type of the contract is bound to, so that a change of a name shows what it rebinds.
func golden(bound config.TypeMap) []byte {
	var w bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(bound)) {
		if entry := bound[name]; len(entry.Model) > 0 {
			fmt.Fprintf(&w, "%s %s\n", name, strings.TrimPrefix(entry.Model[0], module))
		}
	}
	return w.Bytes()
}
