// Package persisted finds the document that a request names instead of sending it: by an id of a manifest, or by a hash
// that was registered before (Apollo's automatic persisted queries). It refuses to trust a document that no manifest
// holds.
package persisted

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/server/recent"
)

// Mode says which documents are answered.
type Mode string

// The modes.
const (
	Off    Mode = "off"    // all, and none is trusted
	Prefer Mode = "prefer" // all; those of the manifests by their ids
	Only   Mode = "only"   // those of the manifests
)

// registered bounds the memory for hashes that clients register.
const registered = 8 << 20

// Documents finds documents. Its methods may be called at the same time.
type Documents struct {
	mode   Mode
	byID   map[string]string // of the manifests
	byHash *recent.Cache[string]
}

// New returns the documents of manifests, which are texts by id.
func New(mode Mode, manifests ...map[string]string) *Documents {
	d := &Documents{mode: mode, byID: map[string]string{}, byHash: recent.New[string](registered)}
	for _, m := range manifests {
		for id, text := range m {
			d.byID[id] = text
			d.byID["sha256:"+hash(text)] = text // as the draft of GraphQL over HTTP writes ids
			d.byID[hash(text)] = text
		}
	}
	return d
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Request holds the parts of a request that name its document.
type Request struct {
	Query      string
	DocumentID string
	Extensions map[string]any
}

// Found is a document, and how far it is trusted.
type Found struct {
	Query     string
	IsTrusted bool   // a manifest holds it
	hash      string // to register it by, once it proves valid
}

// Find returns the document that a request names. Refusals have the codes PERSISTED_QUERY_NOT_FOUND, BAD_USER_INPUT and
// FORBIDDEN.
func (d *Documents) Find(r Request) (Found, *gqlerror.Error) {
	sum, isHashed, refused := automatic(r.Extensions)
	if refused != nil {
		return Found{}, refused
	}
	if r.DocumentID != "" {
		if r.Query != "" {
			return Found{}, refuse(errs.BadUserInput, "documentId and query are both given: send one of them")
		}
		if text, ok := d.byID[r.DocumentID]; ok && d.mode != Off {
			return Found{Query: text, IsTrusted: true}, nil
		}
		return Found{}, refuse(errs.PersistedQueryNotFound, "no manifest holds this documentId")
	}
	if !isHashed {
		return d.free(Found{Query: r.Query})
	}
	if r.Query != "" {
		if hash(r.Query) != sum {
			return Found{}, refuse(errs.BadUserInput, "extensions.persistedQuery.sha256Hash is not the hash of the query")
		}
		return d.free(Found{Query: r.Query, hash: sum})
	}
	if text, ok := d.byID[sum]; ok && d.mode != Off {
		return Found{Query: text, IsTrusted: true}, nil
	}
	if text, ok := d.byHash.Find(sum); ok && d.mode != Only {
		return Found{Query: text}, nil
	}
	return Found{}, refuse(errs.PersistedQueryNotFound, "PersistedQueryNotFound") // the words that clients look for
}

// free returns a document that was sent as text, or a refusal if the mode is Only and no manifest holds it.
func (d *Documents) free(f Found) (Found, *gqlerror.Error) {
	if d.mode != Off && f.Query != "" {
		_, f.IsTrusted = d.byID[hash(f.Query)]
	}
	if d.mode == Only && !f.IsTrusted {
		return Found{}, refuse(errs.Forbidden, "only trusted documents are answered: send the documentId of one")
	}
	return f, nil
}

// Register remembers a document that proved valid by the hash it was sent with.
func (d *Documents) Register(f Found) {
	if f.hash != "" && d.mode != Only {
		d.byHash.Keep(f.hash, f.Query, len(f.Query)+len(f.hash))
	}
}

// automatic returns the hash in extensions.persistedQuery.
func automatic(extensions map[string]any) (sum string, given bool, refused *gqlerror.Error) {
	value, given := extensions["persistedQuery"]
	if !given || value == nil {
		return "", false, nil
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return "", false, refuse(errs.BadUserInput, "extensions.persistedQuery must be an object")
	}
	version := ""
	switch v := fields["version"].(type) {
	case json.Number:
		version = v.String()
	case float64:
		if v == 1 {
			version = "1"
		}
	}
	sum, ok = fields["sha256Hash"].(string)
	if version != "1" || !ok {
		return "", false, refuse(errs.BadUserInput, "extensions.persistedQuery must be {version: 1, sha256Hash: a text}")
	}
	return sum, true, nil
}

func refuse(code errs.Code, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
}
