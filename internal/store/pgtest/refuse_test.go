package pgtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// outcome is a testing.TB that only records how a test was ended.
type outcome struct {
	testing.TB
	skipped, failed string
}

func (o *outcome) Helper()                   {}
func (o *outcome) Skip(args ...any)          { o.skipped = fmt.Sprint(args...) }
func (o *outcome) Fatalf(f string, a ...any) { o.failed = fmt.Sprintf(f, a...) }

func TestWithoutPostgreSQLATestIsSkippedUnlessItIsRequired(t *testing.T) {
	for _, test := range []struct {
		require    string
		err        error
		skip, fail string
	}{
		{"", errNotInstalled, "apt-get install postgresql", ""},
		{"chromium", errNotInstalled, "apt-get install postgresql", ""},
		{"postgresql", errNotInstalled, "", "apt-get install postgresql"},
		{"chromium,postgresql", errNotInstalled, "", "apt-get install postgresql"},
		{"", errors.New("the disk is full"), "", "the disk is full"},
		{"", nil, "", ""},
	} {
		t.Setenv("LINCHPIN_REQUIRE", test.require)
		o := &outcome{TB: t}
		refuse(o, test.err)
		if (o.skipped == "") != (test.skip == "") || !strings.Contains(o.skipped, test.skip) ||
			(o.failed == "") != (test.fail == "") || !strings.Contains(o.failed, test.fail) {
			t.Errorf("LINCHPIN_REQUIRE=%q, %v: skipped %q, failed %q", test.require, test.err, o.skipped, o.failed)
		}
	}
}
