// Package recent keeps the values used last, up to a number of bytes. It refuses to grow beyond them.
package recent

import (
	"container/list"
	"sync"
)

// Cache keeps values by a text. Its methods may be called at the same time.
type Cache[V any] struct {
	mu     sync.Mutex
	limit  int
	bytes  int
	byText map[string]*list.Element
	order  *list.List // of *entry[V], the last used in front
}

type entry[V any] struct {
	text  string
	value V
	bytes int
}

// New returns a cache of at most so many bytes.
func New[V any](limit int) *Cache[V] {
	return &Cache[V]{limit: limit, byText: map[string]*list.Element{}, order: list.New()}
}

// Bytes returns how much the kept values take.
func (c *Cache[V]) Bytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// Find returns the value of a text, or false if it is not kept.
func (c *Cache[V]) Find(text string) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byText[text]
	if !ok {
		return value, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*entry[V]).value, true //nolint:forcetypeassert // it holds nothing else
}

// Keep keeps a value that takes so many bytes, and drops the least recently used ones beyond the limit.
func (c *Cache[V]) Keep(text string, value V, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byText[text]; ok {
		return
	}
	c.byText[text] = c.order.PushFront(&entry[V]{text, value, bytes})
	c.bytes += bytes
	for c.bytes > c.limit {
		e := c.order.Remove(c.order.Back()).(*entry[V]) //nolint:forcetypeassert // it holds nothing else
		delete(c.byText, e.text)
		c.bytes -= e.bytes
	}
}
