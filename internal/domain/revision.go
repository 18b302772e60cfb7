package domain

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// RevisionToken names a revision of one history. Revisions are numbers, and each history has its own: one that was
// restored, or whose last writes a failover lost, has the same number for another write, under another mark.
type RevisionToken struct {
	Revision int64
	Mark     uint64 // 0: known by the number alone
}

// markSize is the number of bytes of a mark.
const markSize = 8

// MarkOf returns the mark of a revision by the digest of its first entry, or 0 if it has none. Digests are salted at
// random, so that no two histories have one in common.
func MarkOf(digest []byte) (mark uint64) {
	if len(digest) < markSize {
		return 0
	}
	for _, b := range digest[:markSize] {
		mark = mark<<8 | uint64(b)
	}
	return mark
}

// String returns the token as clients keep it, such as 482-9f3a6c1e77ab01cd, or 482 if it has no mark.
func (t RevisionToken) String() string {
	if t.Mark == 0 {
		return strconv.FormatInt(t.Revision, 10)
	}
	return fmt.Sprintf("%d-%016x", t.Revision, t.Mark)
}

// MarshalGQL writes the token as GraphQL has it.
func (t RevisionToken) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(t.String())) }

// UnmarshalGQL reads what MarshalGQL writes.
func (t *RevisionToken) UnmarshalGQL(v any) (err error) {
	text, _ := v.(string)
	*t, err = ParseRevisionToken(text)
	return err
}

// ParseRevisionToken reads what String writes; a number alone is a token too. Errors: errs.BadUserInput.
func ParseRevisionToken(text string) (t RevisionToken, err error) {
	number, mark, isMarked := strings.Cut(text, "-")
	t.Revision, err = strconv.ParseInt(number, 10, 64)
	if err == nil && isMarked {
		if len(mark) != 2*markSize {
			err = strconv.ErrSyntax
		} else if t.Mark, err = strconv.ParseUint(mark, 16, 64); err == nil && t.Mark == 0 {
			err = strconv.ErrSyntax
		}
	}
	if err != nil || t.Revision < 0 {
		return RevisionToken{}, errs.New(errs.BadUserInput, "%.40q is no revision: it is a number as answers have it in extensions.revision, or a token as they have it in extensions.revisionToken", text)
	}
	return t, nil
}
