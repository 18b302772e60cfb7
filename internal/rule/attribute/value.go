package attribute

import (
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Bounds of a JSON object that is stored with a record.
const (
	MaxBytes = 64 << 10
	MaxDepth = 20
)

// Plain returns v as the database gives it back: numbers as float64, lists as []any, objects as map[string]any. It
// refuses values that a database cannot keep and names that nobody could write: empty names, control characters,
// numbers beyond float64, deep nesting.
func Plain(v map[string]any) (map[string]any, error) {
	if v == nil {
		return map[string]any{}, nil
	}
	plain, err := plain(v, nil)
	if err != nil {
		return nil, err
	}
	return plain.(map[string]any), nil
}

func plain(v any, path []string) (any, error) {
	if len(path) > MaxDepth {
		return nil, errs.New(errs.Invalid, "it is nested more than %d levels deep", MaxDepth).At(path[:1]...)
	}
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case string:
		return v, printable(v, path)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, errs.New(errs.Invalid, "%v is not a number in JSON", v).At(path...)
		}
		return v, nil
	case int:
		return whole(int64(v), path)
	case int32:
		return float64(v), nil
	case int64:
		return whole(v, path)
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return whole(i, path)
		}
		f, err := v.Float64()
		if err != nil {
			return nil, errs.New(errs.Invalid, "%s is too large for a number: write it as text", v).At(path...)
		}
		return f, nil
	case map[string]any:
		object := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at := append(slices.Clone(path), name)
			if name == "" || utf8.RuneCountInString(name) > 100 {
				return nil, errs.New(errs.Invalid, "a name has 1 to 100 characters").At(at...)
			}
			if err := printable(name, at); err != nil {
				return nil, err
			}
			inner, err := plain(v[name], at)
			if err != nil {
				return nil, err
			}
			object[name] = inner
		}
		return object, nil
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			inner, err := plain(item, append(slices.Clone(path), strconv.Itoa(i)))
			if err != nil {
				return nil, err
			}
			list[i] = inner
		}
		return list, nil
	}
	// Any other type is made in Go, by an importer or the seed: let encoding/json encode it.
	b, err := json.Marshal(v)
	if err != nil {
		return nil, errs.New(errs.Invalid, "it is not JSON: %v", err).At(path...)
	}
	var generic any
	if err := json.Unmarshal(b, &generic); err != nil {
		return nil, errs.New(errs.Invalid, "it is not JSON: %v", err).At(path...)
	}
	return plain(generic, path)
}

// whole refuses whole numbers that float64 would change.
func whole(i int64, path []string) (any, error) {
	const most = 1 << 53
	if i > most || i < -most {
		return nil, errs.New(errs.Invalid, "%d is beyond ±2^53, where numbers lose digits: write it as text", i).At(path...)
	}
	return float64(i), nil
}

func printable(s string, path []string) error {
	if !utf8.ValidString(s) {
		return errs.New(errs.Invalid, "the text is not valid UTF-8").At(path...)
	}
	for _, r := range s {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0x7f {
			return errs.New(errs.Invalid, "the text holds the control character U+%04X", r).At(path...)
		}
	}
	return nil
}

// Merge returns old with change applied: null removes a name, and a name that change does not hold stays. It also
// returns, sorted, the names whose values differ from before. It modifies neither argument; change must be plain.
func Merge(old, change map[string]any) (merged map[string]any, changed []string) {
	merged = maps.Clone(old)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, value := range change {
		before, ok := merged[name]
		switch {
		case value == nil && ok:
			delete(merged, name)
			changed = append(changed, name)
		case value != nil && (!ok || !reflect.DeepEqual(before, value)):
			merged[name] = value
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	return merged, changed
}

// Size refuses objects above MaxBytes.
func Size(v map[string]any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return errs.New(errs.Invalid, "it is not JSON: %v", err)
	}
	if len(b) > MaxBytes {
		return errs.New(errs.Invalid, "together they have %d bytes: at most %d", len(b), MaxBytes)
	}
	return nil
}
