package secret_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
)

func TestASecretIsToldFromATypingError(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		made := secret.New(secret.Token)
		if seen[made] || len(made) != secret.Size || !secret.IsWhole(secret.Token, made) || secret.IsWhole(secret.Session, made) {
			t.Fatal(made)
		}
		seen[made] = true
		for i := range made {
			other := byte('x')
			if made[i] == 'x' {
				other = 'y'
			}
			if wrong := made[:i] + string(other) + made[i+1:]; secret.IsWhole(secret.Token, wrong) {
				t.Errorf("%s passes for %s", wrong, made)
			}
		}
	}
	for _, text := range []string{"", "lpt_", strings.Repeat("0", secret.Size), secret.New(secret.Token) + "0"} {
		if secret.IsWhole(secret.Token, text) {
			t.Errorf("%q passes", text)
		}
	}
}

func TestCodesDependOnTheRootKeyAndTheFirstOneMakesThem(t *testing.T) {
	one, two := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	keys := func(roots ...[]byte) *secret.Keys {
		k, err := secret.NewKeys(roots...)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	made := secret.New(secret.Link)
	old, rotated := keys(one), keys(two, one)
	if bytes.Equal(old.Code(made), keys(two).Code(made)) {
		t.Error("two root keys make one code")
	}
	if !bytes.Equal(rotated.Code(made), keys(two).Code(made)) || !bytes.Equal(rotated.Codes(made)[1], old.Code(made)) {
		t.Error("after a rotation the first key does not make codes, or the second does not verify")
	}
	if bytes.Contains(old.Code(made), []byte(made[4:20])) {
		t.Error("a code tells the secret")
	}
}

func TestAKeyFileIsMadeOnceForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	made := secret.New(secret.Session)
	codes := make([][]byte, 4)
	var wait sync.WaitGroup
	for i := range codes {
		wait.Go(func() {
			keys, err := secret.ReadOrMake(path)
			if err != nil {
				t.Error(err)
				return
			}
			codes[i] = keys.Code(made)
		})
	}
	wait.Wait()
	for _, c := range codes {
		if !bytes.Equal(c, codes[0]) {
			t.Error("programs that start at once have different keys")
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if rest, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".key*")); err != nil || len(rest) > 0 {
		t.Error(rest, err)
	}
}

func TestAKeyFileThatCannotBeMeantIsRefused(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	for text, mode := range map[string]os.FileMode{good: 0o644, "": 0o600, "short": 0o600, good + "\n" + good[:20]: 0o600} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.ReadOrMake(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q of mode %o: %v", text, mode, err)
		}
	}
	if _, err := secret.Read(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no file is a key file")
	}
}
