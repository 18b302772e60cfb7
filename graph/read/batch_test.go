package read

import (
	"reflect"
	"testing"
)

func TestABatchPromotesNoMethods(t *testing.T) {
	if n := reflect.TypeFor[*batch[*CI]]().NumMethod(); n != 0 {
		t.Errorf("a batch has %d exported methods: embedded, those of Reader are compiled for each type of record", n)
	}
}
