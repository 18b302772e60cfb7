package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Bounds of asking an issuer for its keys.
const (
	patience  = 5 * time.Second
	mostBytes = 1 << 20
	coolDown  = 30 * time.Second // between two questions, whoever asks for which key
)

// keySet is the keys of an issuer. A known one is read without asking; an unknown one asks the issuer, but not again
// before the cool-down is over: a stranger who invents names of keys makes no flood of it.
type keySet struct {
	address string // "": the keys are given
	client  *http.Client
	now     func() time.Time

	mu    sync.RWMutex
	known []jose.JSONWebKey

	asking sync.Mutex
	asked  time.Time
}

func newKeySet(address string) *keySet {
	return &keySet{address: address, now: time.Now, client: &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("the address of keys does not redirect") },
	}}
}

// candidates returns the keys that may have signed a token: the one of that name, or all if none has it.
func (k *keySet) candidates(ctx context.Context, name string) []jose.JSONWebKey {
	all := k.read()
	if named := withName(all, name); len(named) > 0 || k.address == "" {
		return or(named, all)
	}
	k.asking.Lock()
	defer k.asking.Unlock()
	if k.now().Sub(k.asked) >= coolDown {
		k.asked = k.now()
		if fetched, err := k.fetch(ctx); err == nil {
			k.mu.Lock()
			k.known = fetched
			k.mu.Unlock()
		}
	}
	all = k.read()
	return or(withName(all, name), all)
}

func (k *keySet) read() []jose.JSONWebKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.known
}

// fetch asks the issuer, also if the caller who asked first goes away: others wait for the answer.
func (k *keySet) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, k.address, nil)
	if err != nil {
		return nil, err
	}
	response, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answers %s", response.Status)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(io.LimitReader(response.Body, mostBytes)).Decode(&set); err != nil {
		return nil, err
	}
	return public(set.Keys), nil
}

// public returns the keys that verify: no shared secret, which would let its holder sign.
func public(keys []jose.JSONWebKey) []jose.JSONWebKey {
	return slices.DeleteFunc(slices.Clone(keys), func(k jose.JSONWebKey) bool {
		return !k.IsPublic() || !k.Valid() || k.Use == "enc"
	})
}

func withName(keys []jose.JSONWebKey, name string) (named []jose.JSONWebKey) {
	for _, k := range keys {
		if name != "" && k.KeyID == name {
			named = append(named, k)
		}
	}
	return named
}

func or(first, second []jose.JSONWebKey) []jose.JSONWebKey {
	if len(first) > 0 {
		return first
	}
	return second
}
