package table

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// numberFormat is how a workbook shows a number, as far as it changes what the number means.
type numberFormat struct {
	hasDay    bool // it shows a date
	hasClock  bool // it shows a time of day
	isElapsed bool // it shows a length of time, such as 37:30
	zeros     int  // the least number of digits
}

// readStyles reads the formats of numbers. A cell names its style by its place in a list.
func (w *workbook) readStyles(name string) error {
	var styles struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := w.decode(name, &styles); err != nil {
		return err
	}
	own := map[int]numberFormat{}
	for _, f := range styles.Formats {
		own[f.ID] = formatOf(f.Code)
	}
	for _, c := range styles.Cells {
		f, ok := own[c.Format]
		if !ok {
			f = builtIn(c.Format)
		}
		w.styles = append(w.styles, f)
	}
	return nil
}

func (w *workbook) style(index string) numberFormat {
	if n, err := strconv.Atoi(index); err == nil && n >= 0 && n < len(w.styles) {
		return w.styles[n]
	}
	return numberFormat{}
}

// builtIn returns a format that workbooks do not spell out (ECMA-376, part 1, 18.8.30).
func builtIn(id int) numberFormat {
	switch {
	case id >= 14 && id <= 17, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id == 57, id == 58:
		return numberFormat{hasDay: true}
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id == 45, id == 47, id == 55, id == 56:
		return numberFormat{hasClock: true}
	case id == 22:
		return numberFormat{hasDay: true, hasClock: true}
	}
	return numberFormat{isElapsed: id == 46}
}

var (
	// literal matches the parts of a format that stand for themselves, and those that set a colour, a language or a
	// condition.
	literal = regexp.MustCompile(`"[^"]*"|\\.|_.|\*.|\[(?:\$[^\]]*|[<>=][^\]]*|[A-Za-z]{3,}[0-9]*)\]`)
	elapsed = regexp.MustCompile(`(?i)\[(h+|m+|s+)\]`)
	zeros   = regexp.MustCompile(`^0{2,}$`)
)

// formatOf reads the code of a format, such as dd.mm.yyyy.
func formatOf(code string) numberFormat {
	positive, _, _ := strings.Cut(literal.ReplaceAllString(code, ""), ";")
	f := numberFormat{isElapsed: elapsed.MatchString(positive)}
	if !strings.EqualFold(strings.TrimSpace(positive), "general") {
		shown := strings.ToLower(positive)
		f.hasClock = strings.ContainsAny(shown, "hs")
		f.hasDay = strings.ContainsAny(shown, "yd") || !f.hasClock && strings.Contains(shown, "m")
	}
	if zeros.MatchString(positive) {
		f.zeros = len(positive)
	}
	return f
}

// number reads the raw value of a cell that holds a number: as the workbook shows it where that changes its meaning,
// and elsewhere as plain digits.
func (c *cell) number(raw string, f numberFormat, is1904 bool) {
	n, err := strconv.ParseFloat(raw, 64)
	switch {
	case err != nil || math.IsInf(n, 0) || math.IsNaN(n):
		c.wrong = fmt.Sprintf("%q, which is no number", raw)
	case f.isElapsed:
		c.text, c.isDate = elapsedText(n), true
	case f.hasDay, f.hasClock:
		c.isDate = true
		c.text, c.wrong = f.dateText(n, is1904)
	case math.Abs(n) >= 1e15 && n == math.Trunc(n):
		c.wrong = "a number of more than 15 digits, of which spreadsheets keep 15: make it a text"
	default:
		c.isNumber = true
		c.text = plainNumber(n)
		if digits := len(strings.TrimPrefix(c.text, "-")); n == math.Trunc(n) && n >= 0 && digits < f.zeros {
			c.text = strings.Repeat("0", f.zeros-digits) + c.text
		}
	}
}

// plainNumber returns a number in the 15 digits that spreadsheets show.
func plainNumber(n float64) string {
	shown, err := strconv.ParseFloat(strconv.FormatFloat(n, 'g', 15, 64), 64)
	if err != nil {
		shown = n
	}
	return strconv.FormatFloat(shown, 'f', -1, 64)
}

// lastDay is 31 December 9999, the last day that spreadsheets know.
const lastDay = 2_958_465

// dateText returns the date and time of a serial number, days since the end of 1899, or since the beginning of 1904:
// those of the two that the format shows.
func (f numberFormat) dateText(n float64, is1904 bool) (text, wrong string) {
	isClock := !f.hasDay && n >= 0 && n < 1
	if is1904 {
		n += 1462
	}
	seconds := int64(math.Round(n * 86_400))
	days, clock := seconds/86_400, time.Duration(seconds%86_400)*time.Second
	switch {
	case n < 0 || days > lastDay:
		return "", fmt.Sprintf("the date number %s, which is before 1900 or after 9999", plainNumber(n))
	case isClock:
		return time.Time{}.Add(clock).Format(time.TimeOnly), ""
	case days == 60 && !is1904:
		return "", "29 February 1900, a day that never was"
	}
	first := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if days < 60 {
		first = first.AddDate(0, 0, 1) // spreadsheets count 29 February 1900
	}
	day := first.AddDate(0, 0, int(days))
	if !f.hasClock {
		return day.Format(time.DateOnly), ""
	}
	return day.Add(clock).Format("2006-01-02T15:04:05"), ""
}

// elapsedText returns a length of time, stated in days, in hours, minutes and seconds.
func elapsedText(n float64) string {
	seconds := int64(math.Round(math.Abs(n) * 86_400))
	sign := ""
	if n < 0 {
		sign = "-"
	}
	return fmt.Sprintf("%s%d:%02d:%02d", sign, seconds/3600, seconds/60%60, seconds%60)
}
