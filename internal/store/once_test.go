package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func key(actor, name, body string) store.Key {
	return store.Key{Actor: actor, Name: name, Body: sha256.Sum256([]byte(body))}
}

// replicas runs a test with two stores on each database, as two servers have them.
func replicas(t *testing.T, test func(t *testing.T, a, b *store.Store)) {
	t.Helper()
	for name, address := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "linchpin.db") },
		"postgres": func() string { return storetest.PostgresAddress(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := address()
			a, b := open(t, at), open(t, at)
			if _, err := a.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, a, b)
		})
	}
}

func TestAKeyHasOneEffectHoweverManySendIt(t *testing.T) {
	replicas(t, func(t *testing.T, a, b *store.Store) {
		class, err := createClass(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		const keys, senders = 10, 6
		send := func(prefix string, isKeyed bool) map[string]map[ident.ID]bool {
			var mu sync.Mutex
			ids := map[string]map[ident.ID]bool{}
			g, ctx := errgroup.WithContext(t.Context())
			for n := range keys * senders {
				name := fmt.Sprintf("%s-%d", prefix, n%keys)
				at, s := ctx, []*store.Store{a, b}[n/keys%2]
				if isKeyed {
					at = store.Once(ctx, key("ada", name, name), "create")
				}
				g.Go(func() error {
					ci, err := createCI(at, s, class.ID, name)
					if err != nil {
						return err
					}
					mu.Lock()
					defer mu.Unlock()
					if ids[name] == nil {
						ids[name] = map[ident.ID]bool{}
					}
					ids[name][ci.ID] = true
					return nil
				})
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			return ids
		}
		for name, ids := range send("keyed", true) {
			if len(ids) != 1 {
				t.Errorf("%s was told as %v", name, ids)
			}
		}
		if n := a.Read.CI.Query().CountX(t.Context()); n != keys {
			t.Errorf("%d keys made %d CIs", keys, n)
		}
		if r, err := a.Revision(t.Context()); err != nil || r != 1+keys {
			t.Errorf("%d revisions, %v", r, err)
		}
		// Without keys each request has an effect of its own: the key makes the difference.
		for name, ids := range send("bare", false) {
			if len(ids) != senders {
				t.Errorf("%s without a key was told as %v", name, ids)
			}
		}
	})
}

func TestARepeatedStepHasTheOutcomeOfTheFirst(t *testing.T) {
	replicas(t, func(t *testing.T, a, b *store.Store) {
		class, err := createClass(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		first, err := createCI(store.Once(t.Context(), key("ada", "k", "x"), "one"), a, class.ID, "web")
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			key  store.Key
			step string
			code errs.Code
			same bool
		}{
			"again":               {key: key("ada", "k", "x"), step: "one", same: true},
			"another step":        {key: key("ada", "k", "x"), step: "two"},
			"another actor":       {key: key("bob", "k", "x"), step: "one"},
			"another actor, body": {key: key("eve", "k", "y"), step: "one"},
			"another body":        {key: key("ada", "k", "y"), step: "one", code: errs.KeyReused},
			"another body, step":  {key: key("ada", "k", "y"), step: "three", code: errs.KeyReused},
		} {
			got, err := createCI(store.Once(t.Context(), c.key, c.step), b, class.ID, "web")
			switch {
			case errs.CodeOf(err) != c.code:
				t.Errorf("%s: %v", name, err)
			case err == nil && (got.ID == first.ID) != c.same:
				t.Errorf("%s: %v and %v", name, got.ID, first.ID)
			case c.same && text(t, got) != text(t, first):
				t.Errorf("told as\n%v, it was\n%v", got, first)
			}
		}
	})
}

func TestARefusalIsKeptAndAFaultIsTriedAgain(t *testing.T) {
	replicas(t, func(t *testing.T, a, b *store.Store) {
		class, err := createClass(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		try := func(s *store.Store, name string, fails error) (string, error) {
			ci, err := store.Write(store.Once(t.Context(), key("ada", name, name), "s"), s, by, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
				ci := tx.CI.Create().SetClassID(class.ID).SetName(name).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
					SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
				return ci, fails
			})
			if err != nil {
				return "", err
			}
			return ci.Name, nil
		}
		refused := errors.Join(errs.New(errs.Stale, "it is at version 3").At("input", "expectedVersion"), errs.New(errs.Required, "a name is missing").At("input", "name"))
		_, first := try(a, "refused", refused)
		_, again := try(b, "refused", nil)
		if first == nil || again == nil || again.Error() != first.Error() || errs.CodeOf(again) != errs.Stale {
			t.Errorf("refused by %v, and then by %v", first, again)
		}
		for _, fault := range []error{errors.New("odd"), errs.New(errs.Timeout, "too long"), errors.Join(refused, errs.New(errs.Forbidden, "no"))} {
			name := fault.Error()
			if _, err := try(a, name, fault); err == nil {
				t.Errorf("%v was lost", fault)
			}
			if got, err := try(b, name, nil); got != name || err != nil {
				t.Errorf("after %v: %q, %v", fault, got, err)
			}
		}
		// A refusal of the database within the transaction is one too, and leaves the transaction usable.
		for _, s := range []*store.Store{a, b} {
			_, err := createClass(store.Once(t.Context(), key("ada", "taken", ""), "s"), s)
			if errs.CodeOf(err) != errs.AlreadyExists {
				t.Errorf("a second class of one code: %v", err)
			}
		}
		if n := a.Read.CI.Query().CountX(t.Context()); n != 3 {
			t.Errorf("%d CIs: a refusal left something behind", n)
		}
	})
}

func TestTheFirstAnswerToAKeyIsKept(t *testing.T) {
	replicas(t, func(t *testing.T, a, b *store.Store) {
		k := key("ada", "k", "x")
		if kept, err := a.Answered(t.Context(), k); kept != nil || err != nil {
			t.Fatalf("%v %v before anything was asked", kept, err)
		}
		var g errgroup.Group
		got := make([]string, 8)
		for n := range got {
			g.Go(func() error {
				kept, err := []*store.Store{a, b}[n%2].KeepAnswer(t.Context(), k, store.Answer{Data: fmt.Appendf(nil, "answer %d", n), Revision: int64(n), Rights: fmt.Appendf(nil, "rights %d", n)})
				if err == nil {
					got[n] = fmt.Sprintf("%s %d %s", kept.Data, kept.Revision, kept.Rights)
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		kept, err := b.Answered(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("answer %d %d rights %d", kept.Revision, kept.Revision, kept.Revision)
		for _, one := range got {
			if one != want {
				t.Errorf("got %q, kept %q", one, want)
			}
		}
		other := key("ada", "k", "y")
		if _, err := a.Answered(t.Context(), other); errs.CodeOf(err) != errs.KeyReused {
			t.Errorf("another body: %v", err)
		}
		if _, err := a.KeepAnswer(t.Context(), other, store.Answer{Data: []byte("z")}); errs.CodeOf(err) != errs.KeyReused {
			t.Errorf("another body: %v", err)
		}
	})
}

func TestOldKeysAreForgottenInBatches(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const keys = 1203
		for n := range keys {
			if _, err := s.KeepAnswer(t.Context(), key("ada", fmt.Sprint(n), "x"), store.Answer{Data: []byte("a")}); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := s.ForgetKeys(t.Context(), time.Hour); n != 0 || err != nil {
			t.Errorf("%d young keys are forgotten, %v", n, err)
		}
		time.Sleep(2 * time.Millisecond)
		if n, err := s.ForgetKeys(t.Context(), time.Millisecond); n != keys || err != nil {
			t.Errorf("%d of %d old keys are forgotten, %v", n, keys, err)
		}
		if kept, err := s.Answered(t.Context(), key("ada", "7", "y")); kept != nil || err != nil {
			t.Errorf("a forgotten key: %v, %v", kept, err)
		}
	})
}

// text returns a CI as one sees it.
func text(t *testing.T, of *ent.CI) string {
	t.Helper()
	all, err := json.Marshal(of)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}
