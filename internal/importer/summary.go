package importer

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// shownPerKind is how many notices of a kind a summary lists unless it is verbose.
const shownPerKind = 20

// SummaryOptions are the options of a summary.
type SummaryOptions struct {
	// IsVerbose lists all notices.
	IsVerbose bool
}

var titles = map[Kind]string{
	KindDocument: "documents", KindTeam: "teams", KindPerson: "people", KindCI: "CIs", KindRelationship: "relationships", KindGroup: "dependency groups",
	KindOwner: "owners", KindParent: "parent teams", KindMember: "memberships", KindSupport: "support teams",
}

var columns = map[Outcome]string{WouldOverwrite: "would overwrite", TakeOver: "take over"}

func (o Outcome) title() string {
	if t := columns[o]; t != "" {
		return t
	}
	return string(o)
}

// WriteSummary writes the steps of a plan as a table of kinds and outcomes, and below it the notices.
func WriteSummary(w io.Writer, p *Plan, o SummaryOptions) error {
	return write(w, p.Summary, p.Notices, o)
}

// WriteResult writes the result of applying a plan in the same way.
func WriteResult(w io.Writer, r Result, o SummaryOptions) error {
	return write(w, r.Written, r.Conflicts, o)
}

func write(w io.Writer, s Summary, notices []Notice, o SummaryOptions) error {
	var b strings.Builder
	table(&b, s)
	listNotices(&b, notices, o)
	_, err := io.WriteString(w, b.String())
	return err
}

// table writes a table of kinds and outcomes, without those that do not occur.
func table(b *strings.Builder, s Summary) {
	head := []string{""}
	var shown []Outcome
	for _, o := range outcomes {
		if s.Total(o) > 0 {
			shown, head = append(shown, o), append(head, o.title())
		}
	}
	if len(shown) == 0 {
		b.WriteString("nothing\n")
		return
	}
	lines := [][]string{head}
	for _, k := range kinds {
		if len(s[k]) == 0 {
			continue
		}
		line := []string{titles[k]}
		for _, o := range shown {
			cell := "·"
			if n := s[k][o]; n > 0 {
				cell = strconv.Itoa(n)
			}
			line = append(line, cell)
		}
		lines = append(lines, line)
	}
	widths := make([]int, len(head))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range lines {
		var text strings.Builder
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				text.WriteString(cell + pad)
				continue
			}
			text.WriteString("  " + pad + cell)
		}
		b.WriteString(strings.TrimRight(text.String(), " ") + "\n")
	}
}

var noticeKinds = []NoticeKind{Conflict, Needed, Rejected, Duplicate, Dangling, Warning, Skipped}

func listNotices(b *strings.Builder, notices []Notice, o SummaryOptions) {
	byKind := map[NoticeKind][]Notice{}
	for _, p := range notices {
		byKind[p.Kind] = append(byKind[p.Kind], p)
	}
	for _, kind := range noticeKinds {
		all := byKind[kind]
		if len(all) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n%s (%d)\n", kind, len(all))
		for i := range all {
			if i == shownPerKind && !o.IsVerbose && len(all) > shownPerKind {
				fmt.Fprintf(b, "  … and %d more (use --verbose)\n", len(all)-i)
				break
			}
			fmt.Fprintf(b, "  %s\n", all[i].Error())
		}
	}
}
