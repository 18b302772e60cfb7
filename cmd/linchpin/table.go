package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// screen is what a table is written on.
type screen struct {
	columns  int // 0 if lines may be as long as they like
	isColour bool
}

// screen returns how wide standard output is and whether it shows colours: never in a pipe or a file.
func (env *environment) screen() screen {
	f, ok := env.stdout.Writer.(*os.File)
	if !ok || !isTerminal(f) {
		return screen{}
	}
	s := screen{isColour: env.getenv("NO_COLOR") == "" && env.getenv("TERM") != "dumb"}
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
		s.columns = columns
	}
	if columns, err := strconv.Atoi(env.getenv("COLUMNS")); err == nil && columns > 0 {
		s.columns = columns
	}
	return s
}

// colours of states, as SGR parameters.
var colours = map[string]string{"DOWN": "31", "DEGRADED": "33", "AT_RISK": "36", "OPERATIONAL": "32"}

// table is rows under a header. The column NAME is what a row is about; the last may be a sentence.
type table struct {
	header     []string
	isSentence bool
	rows       [][]string
}

// add adds a row. Control characters would speak to the terminal: they are shown as replaced.
func (t *table) add(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return unicode.ReplacementChar
			}
			return r
		}, c)
	}
	t.rows = append(t.rows, cells)
}

const (
	gap           = "  "
	leastSentence = 40 // columns; with fewer, sentences stand below their rows
	leastCell     = 4
)

// write writes the table so that it fits the screen: a sentence is broken between words, and cells are cut.
func (t *table) write(w io.Writer, on screen) {
	widths := t.widths()
	last, room := len(widths)-1, 0
	if t.isSentence && on.columns > 0 {
		if room = on.columns - sum(widths[:last]); room < leastSentence {
			widths, room = widths[:last], on.columns
		} else {
			widths[last] = min(widths[last], room)
		}
	}
	t.fit(widths, on.columns)
	for i, row := range append([][]string{t.header}, t.rows...) {
		var line, indent strings.Builder
		for k, cell := range row[:len(widths)] {
			if k == last && t.isSentence {
				break
			}
			cell = cut(cell, widths[k])
			pad := strings.Repeat(" ", widths[k]-uniseg.StringWidth(cell)) + gap
			if code, ok := colours[cell]; ok && on.isColour && i > 0 {
				cell = "\x1b[" + code + "m" + cell + "\x1b[0m"
			}
			line.WriteString(cell + pad)
			indent.WriteString(strings.Repeat(" ", widths[k]) + gap)
		}
		switch isBelow := len(widths) == last; {
		case !t.isSentence:
			_, _ = fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
		case isBelow:
			_, _ = fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
			if i > 0 {
				_, _ = fmt.Fprintln(w, gap+strings.Join(wrap(row[last], room-len(gap)), "\n"+gap))
			}
		default:
			_, _ = fmt.Fprintln(w, line.String()+strings.Join(wrap(row[last], widths[last]), "\n"+indent.String()))
		}
	}
}

// fit makes columns narrower until they have room, the widest first, and names only where they are twice as wide.
func (t *table) fit(widths []int, columns int) {
	weight := func(i int) int {
		if t.header[i] == "NAME" {
			return widths[i] / 2
		}
		return widths[i]
	}
	for columns > 0 && sum(widths)-len(gap) > columns {
		widest := 0
		for i := range widths {
			if weight(i) > weight(widest) {
				widest = i
			}
		}
		if widths[widest] <= leastCell {
			return
		}
		widths[widest]--
	}
}

// sum returns the columns that cells take, each with the gap behind it.
func sum(widths []int) (total int) {
	for _, n := range widths {
		total += n + len(gap)
	}
	return total
}

func (t *table) widths() []int {
	widths := make([]int, len(t.header))
	for _, row := range append([][]string{t.header}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	return widths
}

// cut shortens a text to a width, with a mark in place of what is gone.
func cut(text string, width int) string {
	if uniseg.StringWidth(text) <= width {
		return text
	}
	kept, used := "", 0
	for clusters := uniseg.NewGraphemes(text); clusters.Next(); {
		if used += clusters.Width(); used > width-1 {
			break
		}
		kept += clusters.Str()
	}
	return kept + "…"
}

// wrap breaks a text between words into lines of a width. A word that is longer is cut.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		word = cut(word, width)
		switch {
		case line == "":
			line = word
		case uniseg.StringWidth(line)+1+uniseg.StringWidth(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}
