package store

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	entmigrate "github.com/linchpin-cmdb/linchpin/ent/migrate"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// shape maps the records of one type to their table and to the journal.
type shape struct {
	table   string
	id      int // the struct's field
	subject int // the field that names the record whose history shows it; -1: it is its own
	columns []column
	names   []string // of the columns
	sorted  []int    // places in columns, in the order of their names
}

type column struct {
	name       string
	key        string // as JSON has it before the value
	field      int    // of the struct
	isJSON     bool
	isNullable bool
	values     []string // of an enumeration
}

var shapes sync.Map // reflect.Type → *shape

// shapeOf returns the shape of a record's struct: its table, and the field of each column.
func shapeOf(t reflect.Type) (*shape, error) {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape), nil
	}
	i := slices.IndexFunc(entmigrate.Tables, func(table *schema.Table) bool {
		return strings.EqualFold(strings.ReplaceAll(table.Name, "_", ""), t.Name())
	})
	if i < 0 {
		return nil, fmt.Errorf("%s has no table", t)
	}
	table := entmigrate.Tables[i]
	s := &shape{table: table.Name, id: -1, subject: -1}
	fields := map[string]int{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = i
	}
	for i, c := range table.Columns {
		at, ok := fields[c.Name]
		if !ok {
			return nil, fmt.Errorf("%s has no field for the column %s", t, c.Name)
		}
		if c.Name == "id" {
			s.id = at
		}
		s.columns = append(s.columns, column{c.Name, strconv.Quote(c.Name) + ":", at, c.Type == field.TypeJSON, c.Nullable, c.Enums})
		s.names, s.sorted = append(s.names, c.Name), append(s.sorted, i)
	}
	if s.id < 0 || table.Annotation == nil || table.Annotation.IncrementStart == nil {
		return nil, fmt.Errorf("%s has no numbered id", t)
	}
	slices.SortFunc(s.sorted, func(a, b int) int { return strings.Compare(s.names[a], s.names[b]) })
	if !ident.ID(*table.Annotation.IncrementStart).Kind().IsSubject() {
		for _, name := range subjectFields {
			if at, ok := fields[name]; ok && s.subject < 0 {
				s.subject = at
			}
		}
	}
	shapes.Store(t, s)
	return s, nil
}

// check refuses what ent's builders refuse: unknown values of enumerations, and text that PostgreSQL cannot keep. It
// brings moments to the precision that both databases keep.
func (s *shape) check(record reflect.Value) error {
	for i := range s.columns {
		c, v := &s.columns[i], record.Field(s.columns[i].field)
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			*at = at.UTC().Truncate(time.Microsecond)
			continue
		}
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				continue
			}
			v = v.Elem()
		}
		switch v.Kind() {
		case reflect.String, reflect.Map, reflect.Slice:
		default:
			continue
		}
		if c.values != nil && !slices.Contains(c.values, v.String()) {
			return errs.New(errs.Invalid, "%s of a %s is %q: it is one of %s", c.name, s.table, v.String(), strings.Join(c.values, ", "))
		}
		if !isStorable(v) {
			return errs.New(errs.Invalid, "%s holds a NUL character or is not valid UTF-8", c.name)
		}
	}
	return nil
}

// subjectOf returns the record whose history shows the writes of this one.
func (s *shape) subjectOf(record reflect.Value) ident.ID {
	if s.subject >= 0 {
		v := record.Field(s.subject)
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.IsValid() && v.Int() != 0 {
			return ident.ID(v.Int())
		}
	}
	return ident.ID(record.Field(s.id).Int())
}
