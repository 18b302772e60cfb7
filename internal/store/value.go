package store

import (
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// fit makes a mutation mean the same on both databases: moments are in UTC and whole microseconds, which is what
// PostgreSQL keeps and what SQLite compares as text; text that PostgreSQL cannot keep is refused.
func fit(m ent.Mutation) error {
	for _, name := range m.Fields() {
		value, _ := m.Field(name)
		if at, ok := value.(time.Time); ok {
			if err := m.SetField(name, at.UTC().Truncate(time.Microsecond)); err != nil {
				return err
			}
			continue
		}
		if !isStorable(reflect.ValueOf(value)) {
			return errs.New(errs.Invalid, "%s holds a NUL character or is not valid UTF-8", name)
		}
	}
	return nil
}

// isStorable reports whether all text within v is UTF-8 without NUL.
func isStorable(v reflect.Value) bool {
	switch v.Kind() { //nolint:exhaustive // the rest holds no text
	case reflect.String:
		return utf8.ValidString(v.String()) && !strings.ContainsRune(v.String(), 0)
	case reflect.Interface, reflect.Pointer:
		return v.IsNil() || isStorable(v.Elem())
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if !isStorable(v.Index(i)) {
				return false
			}
		}
	case reflect.Map:
		for entry := v.MapRange(); entry.Next(); {
			if !isStorable(entry.Key()) || !isStorable(entry.Value()) {
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !isStorable(v.Field(i)) {
				return false
			}
		}
	}
	return true
}
