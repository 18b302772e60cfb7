package password_test

import (
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth/password"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

func TestLengthIsWhatCounts(t *testing.T) {
	for given, isFit := range map[string]bool{
		"correct horse battery": true, "fourteen chars": false, "fifteen  chars!": true, "": false,
		strings.Repeat("ä", 14): false, strings.Repeat("abcdefgh ", 29): false, "aaaaaaaaaaaaaaaaaaaa": false, "abcabcabcabcabcabcabc": false,
		"Ada Lovelace of London": false, "ADA LOVELACE OF LONDON": false, "ada lovelace of london!": true,
		"x\xff2345678901234567": false, "パスワードは十五文字以上にして": true,
	} {
		err := password.Check(given, "Ada Lovelace of London")
		if (err == nil) != isFit || err != nil && errs.CodeOf(err) != errs.Invalid {
			t.Errorf("%q: %v", given, err)
		}
	}
}

func TestAPasswordMatchesItsOwnHashAlone(t *testing.T) {
	h := password.NewHasher()
	hash, err := h.Hash(t.Context(), "correct horse battery ﬁt")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, "horse") {
		t.Fatal(hash, err)
	}
	for given, want := range map[string]bool{"correct horse battery ﬁt": true, "correct horse battery fit": true, "Correct horse battery fit": false, "": false} {
		if got, err := h.Matches(t.Context(), given, hash); got != want || err != nil {
			t.Errorf("%q: %t, %v", given, got, err)
		}
	}
	if other, err := h.Hash(t.Context(), "correct horse battery ﬁt"); other == hash || err != nil {
		t.Errorf("two hashes of one password are the same: %v", err)
	}
	if got, err := h.Matches(t.Context(), "correct horse battery fit", ""); got || err != nil {
		t.Errorf("it matches where there is none: %v", err)
	}
	for _, damaged := range []string{"x", strings.Replace(hash, "m=19456", "m=8", 1), hash[:len(hash)-4]} {
		if got, err := h.Matches(t.Context(), "correct horse battery fit", damaged); got || err == nil {
			t.Errorf("%s: %t, %v", damaged, got, err)
		}
	}
}
