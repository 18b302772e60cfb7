package recent_test

import (
	"strconv"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/server/recent"
)

func TestTheLeastRecentIsForgottenFirst(t *testing.T) {
	c := recent.New[int](1000)
	for i := range 100 {
		c.Keep(strconv.Itoa(i), i, 100)
		if _, ok := c.Find("0"); !ok {
			t.Fatalf("a value that is used each time was forgotten at %d", i)
		}
	}
	kept := 0
	for i := range 100 {
		if v, ok := c.Find(strconv.Itoa(i)); ok {
			if kept++; v != i {
				t.Errorf("%d is %d", i, v)
			}
		}
	}
	if kept != 10 || c.Bytes() != 1000 {
		t.Errorf("%d of 100 bytes each are kept in 1000, %d in all", kept, c.Bytes())
	}
	if c.Keep("large", 1, 1001); true {
		if _, ok := c.Find("large"); ok {
			t.Error("more than the limit is kept")
		}
	}
}
