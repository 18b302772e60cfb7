package valid_test

import (
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

func TestTextIsComposedAndCanBeSeen(t *testing.T) {
	for text, want := range map[string]string{
		" plain ": "plain", "Cafe\u0301": "Café", "a\nb\tc": "a\nb\tc", "": "", "क्\u200dष": "क्\u200dष", "\u00a0x\u00a0": "x",
	} {
		if got, err := valid.Text("name", text, 0, 100); err != nil || got != want {
			t.Errorf("%q becomes %q: %v", text, got, err)
		}
	}
	for _, text := range []string{"a\x00b", "a\u202eb", "\u2066x\u2069", "\u200b", "\u200b \u2060", "\ufeff", "\xff", "a\x7f"} {
		if got, err := valid.Text("name", text, 0, 100); err == nil {
			t.Errorf("%q is taken as %q", text, got)
		}
	}
	if _, err := valid.Text("name", "e\u0301", 1, 1); err != nil {
		t.Errorf("a composed character counts as one: %v", err)
	}
}
