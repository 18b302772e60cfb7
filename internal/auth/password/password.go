// Package password decides which passwords will do, and keeps them as hashes. It refuses rules of composition: length
// is what counts.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Shortest and Longest bound the length of a password, in characters.
const (
	Shortest = 15
	Longest  = 256
)

// Costs of a hash, as OWASP advises.
const (
	memory  = 19 << 10 // KiB
	rounds  = 2
	threads = 1
	size    = 32
	salt    = 16
)

// Fold returns the form in which names to sign in with are compared.
func Fold(name string) string {
	return strings.ToLower(norm.NFKC.String(strings.TrimSpace(name)))
}

// Check returns an error if a password of somebody with a name will not do.
func Check(password, name string) error {
	normal := norm.NFKC.String(password)
	n := utf8.RuneCountInString(normal)
	switch {
	case !utf8.ValidString(password):
		return errs.New(errs.Invalid, "the password is not text")
	case n < Shortest:
		return errs.New(errs.Invalid, "the password has %d characters: it has %d at least. Some words in a row will do", n, Shortest)
	case n > Longest:
		return errs.New(errs.Invalid, "the password has %d characters: it has %d at most", n, Longest)
	case isRepeated(normal):
		return errs.New(errs.Invalid, "the password repeats one pattern: choose another")
	case Fold(password) == Fold(name) || name != "" && strings.Trim(strings.ReplaceAll(Fold(password), Fold(name), ""), " ") == "":
		return errs.New(errs.Invalid, "the password is the name: choose another")
	}
	return nil
}

// isRepeated reports whether a text is one pattern of at most four characters, again and again.
func isRepeated(text string) bool {
	runes := []rune(text)
	for period := 1; period <= 4; period++ {
		same := true
		for i := period; i < len(runes) && same; i++ {
			same = runes[i] == runes[i-period]
		}
		if same {
			return true
		}
	}
	return false
}

// Hasher hashes passwords, two at a time: each takes 19 MiB.
type Hasher struct{ turns chan struct{} }

// NewHasher returns a hasher.
func NewHasher() *Hasher { return &Hasher{make(chan struct{}, 2)} }

// Hash returns the hash of a password in PHC form.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	random := make([]byte, salt)
	_, _ = rand.Read(random) // it never fails
	sum, err := h.sum(ctx, password, random)
	if err != nil {
		return "", err
	}
	text := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, rounds, threads, text.EncodeToString(random), text.EncodeToString(sum)), nil
}

// Matches reports whether a password has a hash. With an empty hash it takes as long, and reports false.
func (h *Hasher) Matches(ctx context.Context, password, phc string) (bool, error) {
	random, want := make([]byte, salt), make([]byte, size)
	if phc != "" {
		var version, m, t, p int
		part := strings.Split(phc, "$")
		if len(part) != 6 || part[1] != "argon2id" {
			return false, fmt.Errorf("a password is kept as no argon2id hash")
		}
		_, errV := fmt.Sscanf(part[2], "v=%d", &version)
		_, errP := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &m, &t, &p)
		if errV != nil || errP != nil || version != argon2.Version || m != memory || t != rounds || p != threads {
			return false, fmt.Errorf("a password is kept with other costs than %d KiB and %d rounds", memory, rounds)
		}
		var err1, err2 error
		random, err1 = base64.RawStdEncoding.DecodeString(part[4])
		want, err2 = base64.RawStdEncoding.DecodeString(part[5])
		if err1 != nil || err2 != nil || len(want) != size {
			return false, fmt.Errorf("a password's hash is damaged")
		}
	}
	sum, err := h.sum(ctx, password, random)
	return err == nil && phc != "" && subtle.ConstantTimeCompare(sum, want) == 1, err
}

func (h *Hasher) sum(ctx context.Context, password string, random []byte) ([]byte, error) {
	select {
	case h.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.turns }()
	return argon2.IDKey([]byte(norm.NFKC.String(password)), random, rounds, memory, threads, size), nil
}
