package identity_test

import (
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/rule/identity"
)

func key(rule []string, values map[string]any) string {
	text, _ := identity.Key(rule, func(name string) any { return values[name] })
	return text
}

func TestSpellingsOfOneValueAreOneIdentity(t *testing.T) {
	for _, same := range [][]any{
		{"S1/Dell", "s1/DELL", "  S1/dell "},
		{"4C4C4544-0043-3510-8052-B4C04F4E3132", "{4c4c4544-0043-3510-8052-b4c04f4e3132}", "4c4c45440043351080" + "52b4c04f4e3132"},
		{"00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e"},
		{"Zu\u0308rich", "Z\u00fcrich"},
		{4.0, 4.0},
		{true, true},
		{map[string]any{"a": 1.0, "b": 2.0}, map[string]any{"b": 2.0, "a": 1.0}},
	} {
		first := key([]string{"x"}, map[string]any{"x": same[0]})
		for _, other := range same[1:] {
			if got := key([]string{"x"}, map[string]any{"x": other}); got == "" || got != first {
				t.Errorf("%v is %s, and %v is %s", same[0], first, other, got)
			}
			a, ok := same[0].(string)
			if b, _ := other.(string); ok && identity.Squeezed(a) != identity.Squeezed(b) && a[0] != 'Z' {
				t.Errorf("a database that looks for %q does not find %q", a, b)
			}
		}
	}
}

func TestOtherValuesStayApart(t *testing.T) {
	for _, pair := range [][2]any{
		{"S1", "S2"}, {"AB-1", "AB1"}, {"1.2.3.4", "12.3.4"}, {"4", 4.0}, {"true", true}, {"\u00c9", "\u00e9"},
	} {
		if a, b := key([]string{"x"}, map[string]any{"x": pair[0]}), key([]string{"x"}, map[string]any{"x": pair[1]}); a == b {
			t.Errorf("%v and %v are both %s", pair[0], pair[1], a)
		}
	}
	for _, name := range []string{identity.Name, identity.Environment} {
		if a, b := key([]string{name}, map[string]any{name: "Shop"}), key([]string{name}, map[string]any{name: "shop"}); a == b || a == "" {
			t.Errorf("by %s, Shop is %q and shop is %q: case may tell names apart", name, a, b)
		}
	}
}

func TestPlaceholdersIdentifyNothing(t *testing.T) {
	for _, text := range []string{
		"", " ", "0", "none", "N/A", "Unknown", "Default string", "To be filled by O.E.M.", "System Serial Number", "Not Specified", "123456789",
		"00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "0000000", "XXXXXXX",
	} {
		if got, ok := identity.Key([]string{"serial", "vendor"}, func(name string) any {
			return map[string]any{"serial": text, "vendor": "Dell"}[name]
		}); ok {
			t.Errorf("%q identifies %s", text, got)
		}
	}
	for _, text := range []string{"10", "F", "Nona", "X1", "f00f", "none-7"} {
		if identity.IsPlaceholder(text) {
			t.Errorf("%q is a placeholder", text)
		}
	}
	if _, ok := identity.Key(nil, nil); ok {
		t.Error("a rule without names identifies something")
	}
	if _, ok := identity.Key([]string{"x"}, func(string) any { return nil }); ok {
		t.Error("a missing value identifies something")
	}
}
