package domain_test

import (
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

func TestARevisionTokenIsReadAsItIsWritten(t *testing.T) {
	for _, token := range []domain.RevisionToken{{}, {Revision: 7}, {Revision: 482, Mark: 1}, {Revision: 1 << 60, Mark: 1<<64 - 1}} {
		if got, err := domain.ParseRevisionToken(token.String()); err != nil || got != token {
			t.Errorf("%s is read as %s, %v", token, got, err)
		}
	}
	for _, text := range []string{"", "x", "-1", "-", "1-", "1-2", "1-00000000000000000", "1-0000000000000000", "1-000000000000000x", "1-0000000000000001-1", "99999999999999999999", "1.5"} {
		if got, err := domain.ParseRevisionToken(text); errs.CodeOf(err) != errs.BadUserInput {
			t.Errorf("%q is read as %s, %v", text, got, err)
		}
	}
}

func TestAMarkIsTheBeginningOfADigest(t *testing.T) {
	digest := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}
	if got := domain.MarkOf(digest); got != 0x0102030405060708 {
		t.Errorf("%x", got)
	}
	if got := domain.MarkOf(digest[:7]); got != 0 {
		t.Errorf("%x of what is too short", got)
	}
}
