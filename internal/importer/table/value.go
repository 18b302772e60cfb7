package table

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// value says where a value comes from, and what is done to it, in this order: the columns are read, trimmed, set in
// lower or upper case, matched, looked up in map, split, and read as a date, a number or a yes or no. Where the columns
// hold nothing, the default stands.
type value struct {
	line     int
	columns  []string // one, or those of the template; none if the default is all
	template []string // texts around the columns, one more than those

	trim, lower, upper bool
	match              *regexp.Regexp
	mapped             map[string]string
	isStrict           bool
	isSkipping         bool // rows whose text is not mapped are passed over; of classes alone
	isOptional         bool // the file may lack the columns
	split              string
	space              string // of a support team's key: a source
	fallback           string
	hasDefault         bool

	date       string // how dates are written, such as DD.MM.YYYY
	dateLayout string // the same as Go has it
	decimal    string
	words      map[string]bool // what means yes or no, in lower case
}

// value reads where a value comes from: a column, or a map that says more.
func (p *parser) value(n *document.Node) *value {
	v := &value{line: n.Line}
	wrong := len(p.wrong)
	if n.Is(document.Text, document.Number) {
		v.columns = []string{even(n.Text())}
	} else {
		p.fields(n, v.readers(p))
	}
	switch {
	case len(p.wrong) > wrong:
		return nil
	case len(v.columns) == 0 && !v.hasDefault, slices.Contains(v.columns, ""):
		p.fail(n, "neither a column nor a template nor a default stands here")
		return nil
	case v.isSkipping && !p.isClass:
		p.fail(n, "skip passes rows over by their class: it stands there alone")
		return nil
	case v.isSkipping && (v.mapped == nil || v.isStrict || v.hasDefault):
		p.fail(n, "skip passes over what the map does not name: it has a map, and neither strict nor default")
		return nil
	case v.isStrict && v.mapped == nil:
		p.fail(n, "strict needs a map, whose values alone are taken")
		return nil
	case v.lower && v.upper:
		p.fail(n, "lower and upper: choose one")
		return nil
	}
	for _, column := range v.columns {
		p.mapping.use(column, n.Line, v.isOptional)
	}
	return v
}

// use notes that a column is named.
func (m *Mapping) use(column string, line int, isOptional bool) {
	i := slices.IndexFunc(m.columns, func(u use) bool { return u.name == column })
	if i < 0 {
		m.columns = append(m.columns, use{column, line, isOptional})
	} else if !isOptional {
		m.columns[i].isOptional = false
	}
}

func (v *value) readers(p *parser) map[string]func(*document.Node) {
	from := func(n *document.Node, columns []string) {
		if v.columns != nil {
			p.fail(n, "a column and a template: choose one")
		}
		v.columns = columns
	}
	return map[string]func(*document.Node){
		"column": func(n *document.Node) {
			var column string
			if p.text(n, &column) {
				from(n, []string{even(column)})
			}
		},
		"template": func(n *document.Node) {
			var template string
			if !p.text(n, &template) {
				return
			}
			texts, columns, err := cutTemplate(template)
			if err != nil {
				p.fail(n, "%v", err)
				return
			}
			v.template = texts
			from(n, columns)
		},
		"trim":     func(n *document.Node) { p.flag(n, &v.trim) },
		"lower":    func(n *document.Node) { p.flag(n, &v.lower) },
		"upper":    func(n *document.Node) { p.flag(n, &v.upper) },
		"strict":   func(n *document.Node) { p.flag(n, &v.isStrict) },
		"skip":     func(n *document.Node) { p.flag(n, &v.isSkipping) },
		"optional": func(n *document.Node) { p.flag(n, &v.isOptional) },
		"split":    func(n *document.Node) { p.text(n, &v.split) },
		"space":    func(n *document.Node) { p.text(n, &v.space) },
		"default": func(n *document.Node) {
			v.hasDefault = p.text(n, &v.fallback)
		},
		"match":  func(n *document.Node) { v.readMatch(p, n) },
		"map":    func(n *document.Node) { v.readMap(p, n) },
		"date":   func(n *document.Node) { v.readDate(p, n) },
		"number": func(n *document.Node) { v.readNumber(p, n) },
		"bool":   func(n *document.Node) { v.readWords(p, n) },
	}
}

func (v *value) readMatch(p *parser, n *document.Node) {
	var pattern string
	if !p.text(n, &pattern) {
		return
	}
	re, err := regexp.Compile(pattern)
	switch {
	case err != nil:
		p.fail(n, "the pattern %q is none: %v", pattern, err)
	case re.NumSubexp() != 1:
		p.fail(n, "the pattern %q has %d groups: one is expected, such as ^([a-z]+)-", pattern, re.NumSubexp())
	}
	v.match = re
}

func (v *value) readMap(p *parser, n *document.Node) {
	if !n.Is(document.Map) {
		p.fail(n, "map is %s: write what stands in the cell and what it means, such as {prod: PRODUCTION}", n.Kind)
		return
	}
	v.mapped = map[string]string{}
	for _, key := range n.Keys() {
		var to string
		if p.text(n.At(key.Text), &to) {
			v.mapped[key.Text] = to
		}
	}
}

// layouts turns the parts of a date into those of Go, the longer ones first.
var layouts = strings.NewReplacer("YYYY", "2006", "YY", "06", "MMM", "Jan", "MM", "01", "M", "1", "DD", "02", "D", "2", "hh", "15", "mm", "04", "ss", "05")

func (v *value) readDate(p *parser, n *document.Node) {
	var format string
	if !p.text(n, &format) {
		return
	}
	for _, part := range []string{"YY", "M", "D"} {
		if !strings.Contains(format, part) {
			p.fail(n, "the date %q has no %s: write the parts as they stand in the cell, such as DD.MM.YYYY or YYYY-MM-DD hh:mm:ss", format, part)
			return
		}
	}
	v.date, v.dateLayout = format, layouts.Replace(format)
}

func (v *value) readNumber(p *parser, n *document.Node) {
	var sign string
	if p.text(n, &sign) && sign != "." && sign != "," {
		p.fail(n, "number is %q: write the decimal sign, \".\" or \",\"", sign)
	}
	v.decimal = sign
}

func (v *value) readWords(p *parser, n *document.Node) {
	v.words = map[string]bool{}
	if n.Is(document.Bool) {
		for _, yes := range []string{"true", "yes", "y", "1", "x"} {
			v.words[yes] = true
		}
		for _, no := range []string{"false", "no", "n", "0"} {
			v.words[no] = false
		}
		return
	}
	words := func(means bool) func(*document.Node) {
		return func(n *document.Node) {
			p.each(n, func(n *document.Node) {
				if p.scalar(n) {
					v.words[strings.ToLower(n.Text())] = means
				}
			})
		}
	}
	p.fields(n, map[string]func(*document.Node){"true": words(true), "false": words(false)})
}

// cutTemplate cuts "{A}-{B}" into the columns A and B and the texts around them.
func cutTemplate(s string) (texts, columns []string, err error) {
	rest := s
	for {
		text, more, ok := strings.Cut(rest, "{")
		if texts = append(texts, text); strings.Contains(text, "}") || !ok && len(columns) == 0 {
			break
		}
		if !ok {
			return texts, columns, nil
		}
		column, after, ok := strings.Cut(more, "}")
		if column = even(column); !ok || column == "" || strings.Contains(column, "{") {
			break
		}
		columns, rest = append(columns, column), after
	}
	return nil, nil, fmt.Errorf("the template %q names no columns in braces, such as {Site}-{Name}", s)
}

// state is what a cell says.
type state int

const (
	absent  state = iota // nothing
	none                 // that there is none
	present              // a text
)

// mistake is what is wrong with a cell.
type mistake struct {
	column string
	line   int
	reason string
}

func (m *mistake) Error() string { return fmt.Sprintf("column %q: %s", m.column, m.reason) }

// text returns the text of a value in a row, before it is split and read as a date or number.
func (v *value) text(b *binding, r row) (string, state, *mistake) {
	text, found := "", present
	for i, column := range v.columns {
		place, ok := b.places[column]
		if !ok { // it is optional
			found = absent
			break
		}
		c := r.cells[place]
		if c.wrong != "" {
			return "", absent, &mistake{column, c.line, c.wrong}
		}
		part, said := v.part(b, c.text)
		if said != present {
			found = said
			break
		}
		if v.template != nil {
			text += v.template[i]
		}
		text += part
	}
	switch {
	case len(v.columns) == 0 || found != present && v.hasDefault:
		return v.fallback, present, nil
	case found != present:
		return "", found, nil
	case v.template != nil:
		text += v.template[len(v.columns)]
	}
	return v.change(r, b, text)
}

// part reads one column. A text that the map names is never nothing.
func (v *value) part(b *binding, text string) (string, state) {
	if v.trim {
		text = strings.TrimSpace(text)
	}
	if _, ok := v.mapped[text]; ok && v.template == nil {
		return text, present
	}
	switch {
	case b.nulls[text]:
		return "", none
	case text == "":
		return "", absent
	}
	return text, present
}

// change sets a text in lower or upper case, matches it, and looks it up in the map.
func (v *value) change(r row, b *binding, text string) (string, state, *mistake) {
	wrong := func(format string, args ...any) (string, state, *mistake) {
		return "", absent, v.mistake(b, r, fmt.Sprintf(format, args...))
	}
	switch {
	case v.lower:
		text = strings.ToLower(text)
	case v.upper:
		text = strings.ToUpper(text)
	}
	if v.match != nil {
		found := v.match.FindStringSubmatch(text)
		if found == nil && v.hasDefault {
			return v.fallback, present, nil
		}
		if found == nil {
			return wrong("%s does not match %s", document.Quote(text), v.match)
		}
		if text = found[1]; text == "" {
			return "", absent, nil
		}
	}
	if to, ok := v.mapped[text]; ok {
		return to, present, nil
	}
	if v.isStrict {
		return wrong("%s", noneOf(text, sortedKeys(v.mapped)))
	}
	return text, present, nil
}

// mistake returns a mistake in the first column of a value.
func (v *value) mistake(b *binding, r row, reason string) *mistake {
	if len(v.columns) == 0 {
		return &mistake{line: r.line, reason: reason}
	}
	line := r.line
	if place, ok := b.places[v.columns[0]]; ok {
		line = r.cells[place].line
	}
	return &mistake{v.columns[0], line, reason}
}

// typed reads a text as a date, a number, or a yes or no, or leaves it.
func (v *value) typed(b *binding, r row, text string) (any, *mistake) {
	var c cell
	if len(v.columns) == 1 {
		if place, ok := b.places[v.columns[0]]; ok {
			c = r.cells[place]
		}
	}
	var typed any
	var err error
	switch {
	case v.dateLayout != "" && !c.isDate:
		typed, err = v.dateOf(text)
	case v.decimal != "":
		decimal := v.decimal
		if c.isNumber {
			decimal = "."
		}
		typed, err = numberOf(text, decimal)
	case v.words != nil:
		is, ok := v.words[strings.ToLower(text)]
		if !ok {
			err = fmt.Errorf("%s", noneOf(text, sortedKeys(v.words)))
		}
		typed = is
	default:
		return text, nil
	}
	if err != nil {
		return nil, v.mistake(b, r, err.Error())
	}
	return typed, nil
}

func (v *value) dateOf(text string) (string, error) {
	t, err := time.Parse(v.dateLayout, text)
	if err != nil {
		return "", fmt.Errorf("%s is no date that is written as %s", document.Quote(text), v.date)
	}
	if strings.Contains(v.date, "hh") {
		return t.Format("2006-01-02T15:04:05"), nil
	}
	return t.Format(time.DateOnly), nil
}

var numbers = map[string]*regexp.Regexp{
	".": regexp.MustCompile(`^[+-]?(?:\d+|\d{1,3}(?:[,' \x{00a0}\x{202f}]\d{3})+)(?:\.\d+)?$`),
	",": regexp.MustCompile(`^[+-]?(?:\d+|\d{1,3}(?:[.' \x{00a0}\x{202f}]\d{3})+)(?:,\d+)?$`),
}

// numberOf reads a number, with its thousands apart or not. A whole one that fits is an int64.
func numberOf(text, decimal string) (any, error) {
	trimmed := strings.TrimSpace(text)
	if !numbers[decimal].MatchString(trimmed) {
		return nil, fmt.Errorf("%s is no number with the decimal sign %q", document.Quote(text), decimal)
	}
	digits := strings.Map(func(r rune) rune {
		switch {
		case string(r) == decimal:
			return '.'
		case r >= '0' && r <= '9' || r == '-':
			return r
		}
		return -1
	}, trimmed)
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return n, nil
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return nil, fmt.Errorf("%s is too large a number", document.Quote(text))
	}
	if whole := int64(n); float64(whole) == n && n < 1<<53 && n > -1<<53 {
		return whole, nil
	}
	return n, nil
}
