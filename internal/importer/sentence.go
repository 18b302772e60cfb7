package importer

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Sentence says what a step is about, what was done and why, on one line.
func (i Step) Sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-11s %s %s", i.Outcome, i.Kind, cmp.Or(i.ExternalID, i.Record.String()))
	if i.Detail != "" {
		b.WriteString(" " + i.Detail)
	}
	if i.Target != "" {
		b.WriteString(" " + i.Target)
	}
	for n, d := range i.Differences {
		separator := ", "
		if n == 0 {
			separator = ": "
		}
		fmt.Fprintf(&b, "%s%s %v → %v", separator, d.Field, shown(d.Before), shown(d.After))
	}
	if i.Reason != "" {
		b.WriteString(" (" + i.Reason + ")")
	}
	return b.String()
}

// shown writes a value for people; nothing is a dash.
func shown(v any) string {
	if v == nil || v == "" {
		return "–"
	}
	return fmt.Sprint(v)
}

// Sentence says how many of what had which outcome, unchanged ones too.
func (s Summary) Sentence() string {
	var parts []string
	for _, k := range kinds {
		for _, o := range outcomes {
			if n := s[k][o]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s %s", n, titles[k], o.title()))
			}
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// Sentence says what has come apart.
func (d Drift) Sentence() string {
	switch d.Kind {
	case Disagrees:
		return fmt.Sprintf("%s is %v by %s, and %v by %s", d.Field, shown(d.Is), d.Source, shown(d.Says), strings.Join(d.Against, ", "))
	case LockedOver:
		return fmt.Sprintf("a person set %s to %v, and %s says %v", d.Field, shown(d.Is), d.Source, shown(d.Says))
	case IsStale:
		return fmt.Sprintf("%s has not been read for too long", d.Source)
	case Missing:
		return fmt.Sprintf("%s has lost %q since %s", d.Source, d.Field, d.Since.UTC().Format(time.DateTime))
	case Unclaimed:
		return "no source has it"
	case Unreferenced:
		return "nothing is related to it"
	case Loose:
		return fmt.Sprintf("it refers to %q of %s, which nobody has reported (%v)", d.Field, d.Source, d.Says)
	}
	return ""
}
