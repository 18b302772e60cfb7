package store

import (
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// values writes the values of the columns into a row, as the drivers take them. asText is for PostgreSQL, where JSON
// travels as text; SQLite keeps it as ent does.
func (s *shape) values(record reflect.Value, asText bool, into []any) error {
	for i := range s.columns {
		c, v := &s.columns[i], record.Field(s.columns[i].field)
		if c.isJSON {
			if c.isNullable && v.IsNil() {
				into[i] = nil
				continue
			}
			text, err := json.Marshal(v.Interface())
			if err != nil {
				return err
			}
			into[i] = document(text, asText)
			continue
		}
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				into[i] = nil
				continue
			}
			v = v.Elem()
		}
		switch v.Kind() {
		case reflect.String:
			into[i] = v.String()
		case reflect.Int, reflect.Int64:
			into[i] = v.Int()
		default:
			into[i] = v.Interface()
		}
	}
	return nil
}

// document returns JSON as a driver takes it.
func document(text []byte, asText bool) any {
	switch {
	case text == nil:
		return nil
	case asText:
		return string(text)
	}
	return text
}

// appendJSON appends a record as the journal holds it: the text of fields(record), without the detour through a map.
func (s *shape) appendJSON(text []byte, record reflect.Value) ([]byte, error) {
	text = append(text, '{')
	for _, i := range s.sorted {
		c := &s.columns[i]
		v := record.Field(c.field)
		if isEmpty(v) {
			continue
		}
		if text[len(text)-1] != '{' {
			text = append(text, ',')
		}
		text = append(text, c.key...)
		var err error
		if text, err = appendValue(text, v); err != nil {
			return nil, err
		}
	}
	return append(text, '}'), nil
}

// isEmpty reports whether omitempty leaves v out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() { //nolint:exhaustive // structs are never empty
	case reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64, reflect.Pointer, reflect.Interface:
		return v.IsZero()
	}
	return false
}

func appendValue(text []byte, v reflect.Value) ([]byte, error) {
	switch x := v.Interface().(type) {
	case ident.ID:
		return append(append(append(text, '"'), x.String()...), '"'), nil
	case *ident.ID:
		return append(append(append(text, '"'), x.String()...), '"'), nil
	case time.Time:
		text = append(text, '"')
		return append(x.AppendFormat(text, time.RFC3339Nano), '"'), nil
	}
	switch v.Kind() { //nolint:exhaustive // the rest is left to encoding/json
	case reflect.Int, reflect.Int64:
		return strconv.AppendInt(text, v.Int(), 10), nil
	case reflect.Bool:
		return strconv.AppendBool(text, v.Bool()), nil
	case reflect.String:
		if isPlain(v.String()) {
			return append(append(append(text, '"'), v.String()...), '"'), nil
		}
	}
	more, err := json.Marshal(v.Interface())
	return append(text, more...), err
}

// isPlain reports whether encoding/json would write the text as it is.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}
