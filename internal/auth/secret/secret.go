// Package secret makes the secrets by which callers are known, and the codes under which they are kept. It refuses to
// keep a secret: the database has a code that only a holder of the root key can work out.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"hash/crc32"
	"math/big"
	"strings"
)

// Kind is what a secret is for; its value begins every secret of the kind.
type Kind string

// The kinds.
const (
	Session Kind = "lps_" // of a person that signed in
	Token   Kind = "lpt_" // of an API token
	Link    Kind = "lpl_" // of an address that works once
)

const (
	alphabet  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	bodySize  = 43 // letters of base 62 that hold 256 bits
	checkSize = 6  // letters that hold 32 bits
	// Size is the length of a secret.
	Size = 4 + bodySize + checkSize
)

// New returns a secret of 256 random bits. Its last letters check the others, so that a typing error and what a scanner
// finds are told from a secret without asking the database.
func New(kind Kind) string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // it never fails
	bare := string(kind) + letters(new(big.Int).SetBytes(random), bodySize)
	return bare + check(bare)
}

// letters writes a number in base 62 with a number of letters.
func letters(n *big.Int, size int) string {
	text := make([]byte, size)
	base, digit := big.NewInt(int64(len(alphabet))), new(big.Int)
	for i := size - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		text[i] = alphabet[digit.Int64()]
	}
	return string(text)
}

func check(bare string) string {
	return letters(big.NewInt(int64(crc32.ChecksumIEEE([]byte(bare)))), checkSize)
}

// IsWhole reports whether a text has the form of a secret of a kind.
func IsWhole(kind Kind, text string) bool {
	if len(text) != Size || !strings.HasPrefix(text, string(kind)) {
		return false
	}
	bare := text[:Size-checkSize]
	return check(bare) == text[Size-checkSize:]
}

// LastFour returns the end of a secret, by which people know it again; it tells nothing of the rest.
func LastFour(text string) string { return text[len(text)-4:] }

// Keys are the root keys of an installation, the first of which makes codes; all of them verify.
type Keys struct {
	mac  [][]byte
	seal []cipher.AEAD
	sign [][]byte
}

// NewKeys returns the keys that are derived of root keys.
func NewKeys(roots ...[]byte) (*Keys, error) {
	k := &Keys{}
	for _, root := range roots {
		key, err := hkdf.Key(sha256.New, root, nil, "linchpin secret mac v1", sha256.Size)
		if err != nil {
			return nil, err
		}
		k.mac = append(k.mac, key)
		signing, err := hkdf.Key(sha256.New, root, nil, "linchpin journal v1", sha256.Size)
		if err != nil {
			return nil, err
		}
		k.sign = append(k.sign, signing)
		sealing, err := hkdf.Key(sha256.New, root, nil, "linchpin seal v1", sha256.Size)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(sealing)
		if err != nil {
			return nil, err
		}
		seal, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		k.seal = append(k.seal, seal)
	}
	return k, nil
}

// JournalSeeds returns the seeds of the keys that sign checkpoints of the journal: the first signs, all verify.
func (k *Keys) JournalSeeds() [][]byte { return k.sign }

// Seal returns a text that tells nothing of what is in it, and that nobody without the root key can make.
func (k *Keys) Seal(plain []byte) string {
	return base64.RawURLEncoding.EncodeToString(k.seal[0].Seal(nil, nil, plain, nil))
}

// Unseal returns what was sealed, by any of the keys, and reports whether it was.
func (k *Keys) Unseal(text string) (plain []byte, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, false
	}
	for _, seal := range k.seal {
		if plain, err := seal.Open(nil, nil, sealed, nil); err == nil {
			return plain, true
		}
	}
	return nil, false
}

// Code returns the code under which a new secret is kept.
func (k *Keys) Code(text string) []byte { return code(k.mac[0], text) }

// Codes returns the codes under which a secret may be kept, the newest key's first.
func (k *Keys) Codes(text string) [][]byte {
	all := make([][]byte, len(k.mac))
	for i, key := range k.mac {
		all[i] = code(key, text)
	}
	return all
}

func code(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
