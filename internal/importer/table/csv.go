package table

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// delimiters are the ones that a header line can show.
const delimiters = ",;\t|"

// buffered is how far a CSV file is read ahead: a header line must fit.
const buffered = 64 << 10

// csvReader reads CSV by RFC 4180.
type csvReader struct {
	file      *os.File
	name      string
	csv       *csv.Reader
	guard     *guard
	before    int // lines before the first one that csv sees
	last      int // the line in which the last row ended
	width     int // 0 until the header is read
	isDecoded bool
}

// openCSV begins to read a CSV file. Its encoding is what a byte order mark says, or the one given, or else UTF-8.
func openCSV(file *os.File, name string, f format) (*csvReader, error) {
	raw := bufio.NewReaderSize(file, buffered)
	decoder, err := f.decoder(raw)
	if err != nil {
		return nil, err
	}
	r := &csvReader{file: file, name: name, guard: &guard{from: raw, left: 2 * buffered}, isDecoded: decoder != nil}
	if decoder != nil {
		r.guard.from = transform.NewReader(raw, decoder)
	}
	text := bufio.NewReaderSize(r.guard, buffered)
	begin, err := text.Peek(buffered)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	if at := bytes.IndexByte(begin, 0); at >= 0 && decoder == nil {
		return nil, rejected(name, 1+bytes.Count(begin[:at], []byte{'\n'}),
			"a NUL byte: this is UTF-16 without a byte order mark, or no text at all; say the encoding in the mapping, such as encoding: utf-16le")
	}
	delimiter := f.delimiter
	if said, ok := bytes.CutPrefix(begin, []byte("sep=")); ok && len(said) > 1 && (said[1] == '\n' || said[1] == '\r') {
		delimiter = rune(said[0]) // Excel's own way to say it
		line, _ := text.ReadSlice('\n')
		begin, r.before = begin[len(line):], 1
	}
	line, err := headerLine(begin)
	if err != nil {
		return nil, rejected(name, 1+r.before, "%v", err)
	}
	if delimiter == 0 {
		if delimiter, err = delimiterOf(line); err != nil {
			return nil, rejected(name, 1+r.before, "%v", err)
		}
	}
	r.csv = csv.NewReader(text)
	r.csv.Comma, r.csv.ReuseRecord, r.csv.FieldsPerRecord = delimiter, true, -1
	return r, nil
}

// decoder returns the decoder of the file's encoding, or nil if it is UTF-8. It passes over a mark of UTF-8.
func (f format) decoder(raw *bufio.Reader) (transform.Transformer, error) {
	mark, err := raw.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(mark, []byte{0xEF, 0xBB, 0xBF}):
		_, err := raw.Discard(3)
		return nil, err
	case bytes.HasPrefix(mark, []byte{0xFF, 0xFE}), bytes.HasPrefix(mark, []byte{0xFE, 0xFF}):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder(), nil
	case f.encoding == nil || f.encoding == unicode.UTF8:
		return nil, nil
	}
	return f.encoding.NewDecoder(), nil
}

// encodingOf finds an encoding by one of its names on the web, such as windows-1252.
func encodingOf(name string) (encoding.Encoding, error) {
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no encoding: write its name as web pages do, such as utf-8, windows-1252, iso-8859-15 or utf-16le", name)
	}
	return e, nil
}

// headerLine returns the first line of a file, whose quoted names may hold line breaks.
func headerLine(begin []byte) ([]byte, error) {
	quoted := false
	for i, b := range begin {
		switch {
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '\n':
			return begin[:i], nil
		case b == '\r' && (i+1 == len(begin) || begin[i+1] != '\n'):
			return nil, errors.New("the lines end with carriage returns alone, as on old Macs: save the file with line feeds")
		}
	}
	if len(begin) >= buffered {
		return nil, fmt.Errorf("the header is longer than %d KiB: a quote that is never closed?", buffered>>10)
	}
	return begin, nil
}

// delimiterOf finds the delimiter of a header: the one that stands there most often outside of quotes.
func delimiterOf(line []byte) (rune, error) {
	counts, quoted := map[rune]int{}, false
	for _, b := range line {
		if b == '"' {
			quoted = !quoted
		} else if !quoted && strings.IndexByte(delimiters, b) >= 0 {
			counts[rune(b)]++
		}
	}
	best, other := ',', rune(0)
	for _, d := range delimiters {
		switch {
		case counts[d] > counts[best]:
			best, other = d, 0
		case d != best && counts[d] == counts[best] && counts[d] > 0:
			other = d
		}
	}
	if other != 0 {
		return 0, fmt.Errorf("%q and %q stand equally often in the header: say which one parts columns in the mapping, such as delimiter: %q", best, other, best)
	}
	return best, nil
}

func (r *csvReader) next() (row, error) {
	for {
		r.guard.left = longestRow + 2*buffered
		record, err := r.csv.Read()
		if errors.Is(err, io.EOF) {
			return row{}, io.EOF
		}
		var broken *csv.ParseError
		switch {
		case errors.As(err, &broken):
			return row{line: broken.StartLine + r.before, wrong: r.misquoted(broken)}, nil
		case errors.Is(err, errLong):
			return row{}, rejected(r.name, r.last+1, "the row that begins here is longer than %d MiB: a quote that is never closed? The rest of the file was not read", longestRow>>20)
		case err != nil:
			return row{}, err
		}
		made, err := r.row(record)
		end, _ := r.csv.FieldPos(len(record) - 1)
		r.last = end + strings.Count(record[len(record)-1], "\n") + r.before
		if err != nil {
			return made, err
		}
		if !made.isEmpty() {
			if r.width == 0 {
				r.width = len(made.cells)
			}
			return made, nil
		}
	}
}

func (r *csvReader) misquoted(broken *csv.ParseError) string {
	if errors.Is(broken, csv.ErrBareQuote) {
		return fmt.Sprintf("a quote in a cell that is not quoted (line %d, column %d): quote the cell, and double the quotes in it", broken.Line+r.before, broken.Column)
	}
	return fmt.Sprintf("a quoted cell does not end where it should (line %d, column %d): double the quotes in it, and close it", broken.Line+r.before, broken.Column)
}

func (r *csvReader) row(record []string) (row, error) {
	line, _ := r.csv.FieldPos(0)
	made := row{line: line + r.before}
	if n := len(record); r.width > 0 && n != r.width {
		made.wrong = fmt.Sprintf("the row has %d cells, and the header %d: a delimiter in a cell that is not quoted?", n, r.width)
		if n == 1 && strings.TrimSpace(record[0]) == "" {
			made.wrong = ""
		}
		return made, nil
	}
	made.cells = make([]cell, len(record))
	for i, text := range record {
		line, _ := r.csv.FieldPos(i)
		c := &made.cells[i]
		c.text, c.line = text, line+r.before
		switch {
		case len(text) > longestCell:
			c.text, c.wrong = "", fmt.Sprintf("the cell holds %d bytes: at most %d", len(text), longestCell)
		case !utf8.ValidString(text):
			return made, rejected(r.name, c.line, "column %s: the byte 0x%02X is no UTF-8; say the encoding in the mapping, such as encoding: windows-1252. The rest of the file was not read", columnName(i), firstInvalid(text))
		case strings.IndexByte(text, 0) >= 0:
			c.wrong = "the cell holds a NUL"
		case strings.IndexByte(text, '\r') >= 0:
			c.wrong = "the cell holds a carriage return without a line feed"
		case r.isDecoded && strings.ContainsRune(text, utf8.RuneError):
			c.wrong = "the cell holds what the encoding does not know: say another encoding in the mapping"
		}
	}
	return made, nil
}

// firstInvalid returns the first byte of a text that is no UTF-8.
func firstInvalid(s string) byte {
	for i, c := range s {
		if _, size := utf8.DecodeRuneInString(s[i:]); c == utf8.RuneError && size == 1 {
			return s[i]
		}
	}
	return 0
}

func (r *csvReader) close() error { return r.file.Close() }

// errLong ends the reading of a row that is too long.
var errLong = errors.New("the row is too long")

// guard passes on at most the bytes that are left.
type guard struct {
	from io.Reader
	left int
}

func (g *guard) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errLong
	}
	n, err := g.from.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}
