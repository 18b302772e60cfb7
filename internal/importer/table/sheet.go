package table

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// xlsxReader reads a sheet of a workbook, row by row.
type xlsxReader struct {
	*workbook
	name   string
	file   *os.File
	part   io.ReadCloser
	xml    *xml.Decoder
	merges []area // by their first rows
	active []area // those that the row at hand may meet
	line   int    // of the row at hand
	width  int    // 0 until the header is read
	cells  []cell
}

// area is a rectangle of cells that are merged. Rows count from 1, columns from 0.
type area struct{ left, top, right, bottom int }

func (a area) String() string {
	return fmt.Sprintf("%s%d:%s%d", columnName(a.left), a.top, columnName(a.right), a.bottom)
}

func (r *xlsxReader) next() (row, error) {
	for {
		t, err := r.xml.RawToken()
		if errors.Is(err, io.EOF) {
			return row{}, r.broken(errors.New("the sheet ends in the middle"))
		}
		if err != nil {
			return row{}, r.broken(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Local == "row" {
				made, err := r.row(t)
				if err != nil {
					return made, err
				}
				if !made.isEmpty() {
					r.width = max(r.width, len(made.cells))
					return made, nil
				}
			}
		case xml.EndElement:
			if t.Name.Local == "sheetData" || t.Name.Local == "worksheet" {
				return row{}, io.EOF
			}
		}
	}
}

func (r *xlsxReader) broken(err error) error {
	return rejected(r.name, r.line, "the sheet cannot be read on: %v. The rest of the file was not read", err)
}

// row reads the cells of a row.
func (r *xlsxReader) row(start xml.StartElement) (row, error) {
	line := r.line + 1
	if said := attribute(start, "r"); said != "" {
		n, err := strconv.Atoi(said)
		if err != nil || n < line {
			return row{}, r.broken(fmt.Errorf("row %q follows row %d", said, r.line))
		}
		line = n
	}
	r.line = line
	made := row{line: line}
	r.cells = r.cells[:0]
	for {
		t, err := r.xml.RawToken()
		if err != nil {
			return made, r.broken(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Local != "c" {
				continue
			}
			at, c, err := r.cell(t)
			if err != nil {
				return made, err
			}
			if c.text == "" && c.wrong == "" {
				continue
			}
			if r.width > 0 && at >= r.width {
				made.wrong = fmt.Sprintf("cell %s%d stands to the right of the header, which ends at column %s", columnName(at), line, columnName(r.width-1))
				continue
			}
			r.reach(at + 1)
			r.cells[at] = c
		case xml.EndElement:
			if t.Name.Local == "row" {
				r.meetMerges()
				r.reach(r.width)
				made.cells = r.cells
				return made, nil
			}
		}
	}
}

// reach makes the row at hand as wide as that.
func (r *xlsxReader) reach(width int) {
	for len(r.cells) < width {
		r.cells = append(r.cells, cell{line: r.line})
	}
}

// cell reads one cell and its column.
func (r *xlsxReader) cell(start xml.StartElement) (at int, c cell, err error) {
	at, c.line = len(r.cells), r.line
	if said := attribute(start, "r"); said != "" {
		if at, err = columnOf(said); err != nil {
			return 0, c, r.broken(err)
		}
		if at < len(r.cells) {
			return 0, c, r.broken(fmt.Errorf("cell %q stands after column %s of row %d", said, columnName(len(r.cells)), r.line))
		}
	}
	if at >= mostColumns {
		return 0, c, r.broken(fmt.Errorf("row %d reaches column %s: at most %d columns are read", r.line, columnName(at), mostColumns))
	}
	value, isFormula, hasValue, err := r.value()
	if err != nil {
		return 0, c, r.broken(err)
	}
	place := columnName(at) + strconv.Itoa(r.line)
	switch kind := attribute(start, "t"); {
	case isFormula && !hasValue:
		c.wrong = fmt.Sprintf("cell %s holds a formula whose result is not kept in the file: open it in a spreadsheet program and save it", place)
	case kind == "e":
		c.wrong = fmt.Sprintf("cell %s holds the error %s", place, value)
	case kind == "s":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n >= len(r.texts) {
			return 0, c, r.broken(fmt.Errorf("cell %s names the text %q, and there are %d", place, value, len(r.texts)))
		}
		c.text = r.texts[n]
	case kind == "b":
		c.text = map[string]string{"1": "TRUE", "0": "FALSE"}[value]
	case kind == "str" || kind == "inlineStr":
		c.text = unescape(value)
	case kind == "d":
		c.text, c.isDate = value, true
	case value != "":
		c.number(value, r.style(attribute(start, "s")), r.is1904)
		if c.wrong != "" {
			c.wrong = "cell " + place + " holds " + c.wrong
		}
	}
	switch {
	case len(c.text) > longestCell:
		c.text, c.wrong = "", fmt.Sprintf("cell %s holds %d bytes: at most %d", place, len(c.text), longestCell)
	case strings.IndexByte(c.text, 0) >= 0:
		c.wrong = fmt.Sprintf("cell %s holds a NUL", place)
	case strings.IndexByte(c.text, '\r') >= 0:
		c.wrong = fmt.Sprintf("cell %s holds a carriage return without a line feed", place)
	}
	return at, c, nil
}

// value reads what is inside of a cell, up to its end.
func (r *xlsxReader) value() (value string, isFormula, hasValue bool, err error) {
	var inline rich
	var plain strings.Builder
	isPlain := false
	for {
		t, err := r.xml.RawToken()
		if err != nil {
			return "", false, false, err
		}
		inline.add(t)
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "v":
				isPlain, hasValue = true, true
			case "f":
				isFormula = true
			}
		case xml.CharData:
			if isPlain {
				plain.Write(t)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "v":
				isPlain = false
			case "c":
				if s := inline.text.String(); s != "" {
					return s, isFormula, hasValue, nil
				}
				return plain.String(), isFormula, hasValue, nil
			}
		}
	}
}

// meetMerges marks the cells of the row at hand that are merged with others.
func (r *xlsxReader) meetMerges() {
	for len(r.merges) > 0 && r.merges[0].top <= r.line {
		r.active, r.merges = append(r.active, r.merges[0]), r.merges[1:]
	}
	r.active = slices.DeleteFunc(r.active, func(a area) bool { return a.bottom < r.line })
	for _, a := range r.active {
		last := a.right
		if r.width > 0 {
			last = min(last, r.width-1)
		}
		r.reach(last + 1)
		for i := a.left; i <= last; i++ {
			c := &r.cells[i]
			c.isMerged = c.text == "" && c.wrong == ""
			c.wrong = fmt.Sprintf("cell %s%d is one of the merged cells %s: part them, and write the value into each", columnName(i), r.line, a)
		}
	}
}

func (r *xlsxReader) close() error {
	return errors.Join(r.part.Close(), r.file.Close())
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// columnOf returns the column, from 0, of a cell such as C17.
func columnOf(cell string) (int, error) {
	column, i := 0, 0
	for ; i < len(cell) && cell[i] >= 'A' && cell[i] <= 'Z' && i < 4; i++ {
		column = column*26 + int(cell[i]-'A') + 1
	}
	if i == 0 || i == len(cell) || strings.Trim(cell[i:], "0123456789") != "" {
		return 0, fmt.Errorf("%q is no cell", cell)
	}
	return column - 1, nil
}

// endOfCells is what follows the cells of a sheet in its part.
var endOfCells = []byte("sheetData>")

// readMerges reads the areas of a sheet whose cells are merged. They follow the cells, which are passed over here
// without being parsed.
func readMerges(part *zip.File) ([]area, error) {
	file, err := part.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	rest, err := after(file, endOfCells)
	if err != nil {
		return nil, err
	}
	var all []area
	d := xml.NewDecoder(rest)
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != "mergeCell" {
			continue
		}
		a, err := areaOf(attribute(start, "ref"))
		if err != nil {
			return nil, err
		}
		if a.left != a.right || a.top != a.bottom {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b area) int { return cmp.Compare(a.top, b.top) })
	return all, nil
}

func areaOf(ref string) (a area, err error) {
	from, to, ok := strings.Cut(ref, ":")
	if !ok {
		to = from
	}
	for _, end := range []struct {
		cell        string
		column, row *int
	}{{from, &a.left, &a.top}, {to, &a.right, &a.bottom}} {
		if *end.column, err = columnOf(end.cell); err != nil {
			return a, err
		}
		if *end.row, err = strconv.Atoi(strings.TrimLeft(end.cell, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")); err != nil {
			return a, err
		}
	}
	if a.right >= 1<<14 || a.left > a.right || a.top > a.bottom {
		return a, fmt.Errorf("%q is no area of cells", ref)
	}
	return a, nil
}

// after returns what follows the closing tag that ends with mark. If there is none, nothing follows.
func after(r io.Reader, mark []byte) (io.Reader, error) {
	const overlap = 64 // a tag with its prefix
	held := make([]byte, 0, 2*buffered)
	for {
		n, err := r.Read(held[len(held):cap(held)])
		held = held[:len(held)+n]
		for from := 0; ; {
			i := bytes.Index(held[from:], mark)
			if i < 0 {
				break
			}
			from += i + len(mark)
			if open := bytes.LastIndexByte(held[:from], '<'); open >= 0 && open+1 < from && held[open+1] == '/' {
				return io.MultiReader(bytes.NewReader(held[from:]), r), nil
			}
		}
		if errors.Is(err, io.EOF) {
			return bytes.NewReader(nil), nil
		}
		if err != nil {
			return nil, err
		}
		if len(held) > overlap {
			held = append(held[:0], held[len(held)-overlap:]...)
		}
	}
}
