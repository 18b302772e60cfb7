package page_test

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

func TestABatchLoadsOnceForAllThatAskAtOnce(t *testing.T) {
	type asked struct{ hours, first int }
	b := &page.Batch[string]{Rows: []string{"a", "b", "c"}}
	var runs atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		for _, key := range []any{"owners", asked{24, 10}, asked{24, 20}} {
			all.Go(func() {
				got, err := page.Once(b, key, func() (map[string]any, error) {
					runs.Add(1)
					return map[string]any{"of": key}, nil
				})
				if err != nil || got["of"] != key {
					t.Errorf("%v gives %v, %v", key, got, err)
				}
			})
		}
	}
	all.Wait()
	if runs.Load() != 3 {
		t.Errorf("%d loads for three keys", runs.Load())
	}
}

func TestAFailureReachesAllThatAskAndIsNotTriedAgain(t *testing.T) {
	b, runs, broken := &page.Batch[string]{}, 0, errors.New("broken")
	for range 2 {
		got, err := page.Once(b, "owners", func() ([]string, error) {
			runs++
			return []string{"half"}, broken
		})
		if !errors.Is(err, broken) || got != nil {
			t.Errorf("%v, %v", got, err)
		}
	}
	for range 2 {
		func() {
			defer func() {
				if recover() != "lost" {
					t.Error("a panic is swallowed")
				}
			}()
			_, _ = page.Once(b, "class", func() (int, error) {
				runs++
				panic("lost")
			})
		}()
	}
	if runs != 2 {
		t.Errorf("%d runs for two keys", runs)
	}
}

func TestAnIDIsListedOnceAndAnAbsentOneNever(t *testing.T) {
	none, one, two := ident.ID(0), ident.New(ident.Team, 1), ident.New(ident.Team, 2)
	got := page.Distinct([]*ident.ID{&two, nil, &one, &two, &none}, func(id *ident.ID) *ident.ID { return id })
	if !slices.Equal(got, []ident.ID{two, one}) {
		t.Error(got)
	}
}

func TestABatchHasNoMethods(t *testing.T) {
	if n := reflect.TypeFor[*page.Batch[*book]]().NumMethod(); n != 0 {
		t.Errorf("a batch has %d methods, which are compiled for each type of record that embeds one", n)
	}
}
