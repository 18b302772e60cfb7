package ndjson

import (
	"errors"
	"fmt"
	"slices"
	"unicode"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// longestPlace bounds the name of a file or a column, in bytes.
const longestPlace = 4096

// noticed are the kinds of notices that a program may give.
var noticed = []importer.NoticeKind{importer.Rejected, importer.Duplicate, importer.Dangling, importer.Skipped, importer.Warning}

// told returns an error if a line says something about a row that is not there, or something that cannot be shown.
func (l line) told() error {
	isRecord := l.CI != nil || l.Team != nil || l.Person != nil
	if l.Origin != nil && !isRecord && l.Delete == nil || l.Notices != nil && !isRecord {
		return errors.New("an origin and notices stand beside a row: a notice alone has its own origin")
	}
	all := l.Notices
	if l.Notice != nil {
		all = []importer.Notice{*l.Notice}
	}
	if l.Origin != nil {
		all = append(slices.Clone(all), importer.Notice{Origin: *l.Origin, Kind: importer.Warning, Reason: "-"})
	}
	for _, n := range all {
		switch {
		case n.Origin.Line < 0 || !isPlace(n.Origin.File) || !isPlace(n.Origin.Column):
			return fmt.Errorf("the origin %.100q: its file and column have at most %d bytes that can be printed, and its line is no less than 0", n.Origin, longestPlace)
		case !slices.Contains(noticed, n.Kind):
			return fmt.Errorf("a notice of kind %.100q: it is one of %q", n.Kind, noticed)
		case n.Reason == "":
			return errors.New("a notice has no reason")
		}
	}
	return nil
}

func isPlace(text string) bool {
	for _, r := range text {
		if unicode.IsControl(r) {
			return false
		}
	}
	return len(text) <= longestPlace
}
