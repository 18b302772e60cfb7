package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/linchpin-cmdb/linchpin/internal/chain"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Origin begins every checkpoint of a journal, and is the name of the keys that sign them.
const Origin = "linchpin.journal"

// Checkpoint is the link of a revision.
type Checkpoint struct {
	Revision int64
	Link     []byte
}

// Text returns what is signed: the origin, the revision and the link, each on a line, as C2SP's tlog-checkpoint writes
// a tree.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", Origin, c.Revision, base64.StdEncoding.EncodeToString(c.Link))
}

func parse(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != Origin {
		return c, fmt.Errorf("it is no checkpoint of a journal: the first line is %q instead of %q", lines[0], Origin)
	}
	if c.Revision, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Revision < 1 {
		return c, fmt.Errorf("its second line is %q instead of a revision", lines[1])
	}
	if c.Link, err = base64.StdEncoding.DecodeString(lines[2]); err != nil || len(c.Link) != chain.Size {
		return c, fmt.Errorf("its third line is %q instead of a link", lines[2])
	}
	return c, nil
}

// Keys verify checkpoints. If there are none, nothing is said about who signed.
type Keys struct{ list note.Verifiers }

// ParseKeys returns the keys of texts such as PublicKey gives.
func ParseKeys(texts ...string) (Keys, error) {
	all := make([]note.Verifier, 0, len(texts))
	for _, text := range texts {
		v, err := note.NewVerifier(strings.TrimSpace(text))
		if err != nil {
			return Keys{}, fmt.Errorf("%q is no key of checkpoints, such as linchpin journal key prints: %w", text, err)
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		return Keys{}, nil
	}
	return Keys{note.VerifierList(all...)}, nil
}

// Open returns the checkpoint of a note, if one of the keys has signed it.
func (k Keys) Open(text []byte) (Checkpoint, error) {
	if k.list == nil {
		return Checkpoint{}, errors.New("there is no key that could have signed it")
	}
	n, err := note.Open(text, k.list)
	if err != nil {
		return Checkpoint{}, err
	}
	return parse(n.Text)
}

// Signer signs checkpoints.
type Signer struct {
	signer note.Signer
	public string
}

const algorithmEd25519 = 1 // of C2SP's signed notes

// NewSigner returns the signer with a seed of 32 bytes.
func NewSigner(seed []byte) (*Signer, error) {
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	verifier, err := note.NewEd25519VerifierKey(Origin, public)
	if err != nil {
		return nil, err
	}
	hash := strings.Split(verifier, "+")[1]
	secret := base64.StdEncoding.EncodeToString(append([]byte{algorithmEd25519}, seed...))
	signer, err := note.NewSigner("PRIVATE+KEY+" + Origin + "+" + hash + "+" + secret)
	return &Signer{signer, verifier}, err
}

// PublicKey returns the text by which others verify.
func (s *Signer) PublicKey() string { return s.public }

// Sign returns a checkpoint as a signed note.
func (s *Signer) Sign(c Checkpoint) (string, error) { return s.sign(c.Text()) }

func (s *Signer) sign(text string) (string, error) {
	signed, err := note.Sign(&note.Note{Text: text}, s.signer)
	return string(signed), err
}

// Signers returns what signs with the seeds of an installation, and the keys that verify. The first one signs.
func Signers(seeds [][]byte) (*Signer, Keys, error) {
	var all []*Signer
	var texts []string
	for _, seed := range seeds {
		s, err := NewSigner(seed)
		if err != nil {
			return nil, Keys{}, err
		}
		all, texts = append(all, s), append(texts, s.PublicKey())
	}
	if len(all) == 0 {
		return nil, Keys{}, errors.New("there is no root key to sign with")
	}
	keys, err := ParseKeys(texts...)
	return all[0], keys, err
}

// Latest returns the checkpoint of the last revision, or nil if nothing was written yet.
func Latest(ctx context.Context, s *store.Store) (*Checkpoint, error) {
	revision, link, err := s.Link(ctx)
	if err != nil || revision == 0 {
		return nil, err
	}
	return &Checkpoint{revision, link}, nil
}

// Keep links what programs without a chain wrote, signs the link of the last revision, and puts it into the database.
// It returns that revision, and the note; the note is "" if the revision was signed before.
func Keep(ctx context.Context, s *store.Store, by *Signer) (revision int64, signed string, err error) {
	if err := s.LinkAll(ctx); err != nil {
		return 0, "", store.Translate(err)
	}
	c, err := Latest(ctx, s)
	if err != nil || c == nil {
		return 0, "", err
	}
	newest, _, _, err := s.NewestCheckpoint(ctx)
	if err != nil || newest >= c.Revision {
		return c.Revision, "", err
	}
	if signed, err = by.Sign(*c); err != nil {
		return 0, "", err
	}
	isNew, err := s.KeepCheckpoint(ctx, c.Revision, time.Now(), signed)
	if err != nil || !isNew {
		return c.Revision, "", err
	}
	return c.Revision, signed, nil
}

// compareCheckpoints compares the chain with what was signed: what is given, and what the database keeps.
func (v *verifier) compareCheckpoints(ctx context.Context, from *store.Snapshot, keys Keys, kept []Checkpoint) error {
	all := map[string][]Checkpoint{"": kept}
	const own = " that the database keeps"
	err := from.Checkpoints(ctx, func(revision int64, text string) error {
		signed, err := parse(text)
		if keys.list != nil {
			signed, err = keys.Open([]byte(text))
		}
		unknown := (*note.UnverifiedNoteError)(nil)
		switch {
		case errors.As(err, &unknown): // another key has signed it, before the root key was changed
		case err != nil || signed.Revision != revision:
			v.mismatch(revision, "the checkpoint%s is not the one that was signed", own)
		default:
			all[own] = append(all[own], signed)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for whose, list := range all {
		for _, c := range list {
			if c.Revision < v.First-1 {
				v.Older++
				continue
			}
			link, err := from.LinkOf(ctx, c.Revision)
			if err != nil {
				return err
			}
			v.compare(c, link, whose)
		}
	}
	return nil
}

// compare compares the link of a revision with what was signed.
func (v *verifier) compare(c Checkpoint, link []byte, whose string) {
	switch {
	case c.Revision > v.Revision:
		v.mismatch(c.Revision, "the checkpoint%s is ahead of the journal, which ends with revision %d: it was cut, or the checkpoint is of another one", whose, v.Revision)
	case !bytes.Equal(link, c.Link):
		v.mismatch(c.Revision, "the checkpoint%s has another link: the journal was written anew since, or the checkpoint is of another one", whose)
	default:
		v.Newest = max(v.Newest, c.Revision)
	}
}

// mismatch notes that the chain is not the one that was signed, unless it does not hold in itself.
func (v *verifier) mismatch(revision int64, why string, args ...any) {
	if v.Fault == nil || v.Fault.IsOfCheckpoint && revision < v.Fault.Revision {
		v.Fault = &Fault{Revision: revision, Why: fmt.Sprintf(why, args...), IsOfCheckpoint: true}
	}
}
