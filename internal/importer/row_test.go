package importer

import (
	"reflect"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

func TestARowReportsEachPlainFieldThatItHas(t *testing.T) {
	var c CI
	v := reflect.ValueOf(&c).Elem()
	want := map[string]string{}
	for _, f := range cmdb.PlainFields {
		if field := v.FieldByName(strings.ToUpper(f.Name[:1]) + f.Name[1:]); field.IsValid() {
			field.SetString("the " + f.Name)
			want[f.Name] = "the " + f.Name
		}
	}
	if got := c.plain(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
