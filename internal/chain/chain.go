// Package chain links the revisions of a journal: each link is made of the one before, so that whoever changes an entry
// changes all links after it. It refuses I/O.
package chain

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

const (
	// SaltSize is the size of the salt of an entry.
	SaltSize = 16
	// Size is the size of digests, leaves and links.
	Size = sha256.Size
)

// Line is an entry of the journal as its revision's leaf holds it. Its id is not in it: the revision is in the link,
// and the place in the order of the lines.
type Line struct {
	At                   int64 // microseconds since 1970
	Actor                string
	ActorID, ViaID       int64 // 0: none
	Via, Verb, Operation string
	Record, Subject      int64
	Digest               []byte // of the content
}

// Salts returns n new salts.
func Salts(n int) []byte {
	salts := make([]byte, n*SaltSize)
	_, _ = rand.Read(salts) // it never fails
	return salts
}

// Digester makes digests of contents.
type Digester struct{ c canonical }

// Of returns the digest of an entry's content: HMAC-SHA256, under the salt, of before and after as RFC 8785 writes
// them, each with its length ahead. Databases keep JSON in forms of their own; all of them have this one in common. A
// content that is not there counts as null. Without the salt the digest tells nothing of the content.
func (d *Digester) Of(salt, before, after []byte) ([]byte, error) {
	mac := hmac.New(sha256.New, salt)
	for _, content := range [...][]byte{before, after} {
		if content == nil {
			content = []byte("null")
		}
		var room [8]byte
		d.c.out = append(d.c.out[:0], room[:]...)
		if err := d.c.write(content); err != nil {
			return nil, err
		}
		binary.BigEndian.PutUint64(d.c.out, uint64(len(d.c.out)-len(room)))
		mac.Write(d.c.out)
	}
	return mac.Sum(nil), nil
}

// Leaf collects the lines of a revision, in their order.
type Leaf struct{ text []byte }

// Add appends a line. The name of the actor counts only if there is no account: a name can be erased, an id stays.
func (l *Leaf) Add(line Line) {
	if line.ActorID != 0 {
		line.Actor = ""
	}
	for _, n := range [...]int64{line.At, line.ActorID, line.ViaID, line.Record, line.Subject} {
		l.text = binary.BigEndian.AppendUint64(l.text, uint64(n))
	}
	for _, s := range [...]string{line.Actor, line.Via, line.Verb, line.Operation, string(line.Digest)} {
		l.text = binary.AppendUvarint(l.text, uint64(len(s)))
		l.text = append(l.text, s...)
	}
}

// Sum returns the leaf, and makes room for the next revision's.
func (l *Leaf) Sum() [Size]byte {
	sum := sha256.Sum256(l.text)
	l.text = l.text[:0]
	return sum
}

// Next returns the link of a revision: SHA-256 of the link before it, the revision's number in eight bytes, the highest
// first, and its leaf. The link before the first revision is empty.
func Next(previous []byte, revision int64, leaf [Size]byte) []byte {
	text := make([]byte, 0, 2*Size+8)
	text = append(text, previous...)
	text = binary.BigEndian.AppendUint64(text, uint64(revision))
	text = append(text, leaf[:]...)
	sum := sha256.Sum256(text)
	return sum[:]
}
