package table

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// The limits of a workbook, which is a ZIP of XML.
const (
	mostUnzipped = 200 << 20 // bytes of all parts
	mostRatio    = 100       // of bytes unzipped to bytes zipped
	longestPart  = 16 << 20  // bytes of a part that is held in memory, other than the texts
)

// workbook is what the parts beside the sheets say.
type workbook struct {
	parts  map[string]*zip.File // by name, in lower case
	sheets []sheetPart
	texts  []string // that cells share
	styles []numberFormat
	is1904 bool
}

type sheetPart struct{ name, part string }

// openXLSX begins to read a sheet of a workbook.
func openXLSX(file *os.File, size int64, name string, f format) (*xlsxReader, error) {
	w, err := readWorkbook(file, size)
	if err != nil {
		return nil, rejected(name, 0, "the workbook cannot be read: %v", err)
	}
	part, err := w.sheet(f.sheet)
	if err != nil {
		return nil, rejected(name, 0, "%v", err)
	}
	r := &xlsxReader{name: name, file: file, workbook: w}
	if r.merges, err = readMerges(part); err == nil {
		r.part, err = part.Open()
	}
	if err != nil {
		return nil, rejected(name, 0, "the workbook cannot be read: %v", err)
	}
	r.xml = xml.NewDecoder(r.part)
	return r, nil
}

// checkSizes refuses a ZIP that grows too much. Its reader holds each part to the size that the ZIP states.
func checkSizes(z *zip.Reader, size int64) error {
	var unzipped uint64
	for _, f := range z.File {
		if f.UncompressedSize64 > mostUnzipped {
			unzipped = mostUnzipped + 1
			break
		}
		unzipped += f.UncompressedSize64
	}
	if unzipped > mostUnzipped {
		return fmt.Errorf("unzipped it is larger than %d MiB: save the sheet as CSV", mostUnzipped>>20)
	}
	if unzipped > mostRatio*uint64(size) {
		return fmt.Errorf("unzipped it is more than %d times as large as the file, which no spreadsheet makes", mostRatio)
	}
	return nil
}

func readWorkbook(file io.ReaderAt, size int64) (*workbook, error) {
	z, err := zip.NewReader(file, size)
	if err != nil {
		return nil, err
	}
	if err := checkSizes(z, size); err != nil {
		return nil, err
	}
	w := &workbook{parts: map[string]*zip.File{}}
	for _, f := range z.File {
		name := strings.ToLower(strings.TrimPrefix(f.Name, "/"))
		if w.parts[name] != nil {
			return nil, fmt.Errorf("it has two parts %q", f.Name)
		}
		w.parts[name] = f
	}
	if w.parts["content.xml"] != nil && w.parts["mimetype"] != nil {
		return nil, errors.New("this is an OpenDocument file: save it as .xlsx or CSV")
	}
	main, err := w.relations("")
	if err != nil {
		return nil, err
	}
	for _, r := range main {
		if r.is("officeDocument") {
			return w, w.readMain(r.target)
		}
	}
	return nil, errors.New("it names no main part: this is a ZIP, and no workbook")
}

// readMain reads the part that lists the sheets, and those that all sheets share.
func (w *workbook) readMain(part string) error {
	var main struct {
		Properties struct {
			Is1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"id,attr"` // r:id
		} `xml:"sheets>sheet"`
	}
	if err := w.decode(part, &main); err != nil {
		return err
	}
	w.is1904 = main.Properties.Is1904 == "1" || main.Properties.Is1904 == "true"
	relations, err := w.relations(part)
	if err != nil {
		return err
	}
	byID := map[string]relation{}
	for _, r := range relations {
		byID[r.id] = r
		switch {
		case r.is("sharedStrings"):
			err = w.readTexts(r.target)
		case r.is("styles"):
			err = w.readStyles(r.target)
		}
		if err != nil {
			return err
		}
	}
	for _, s := range main.Sheets {
		if r, ok := byID[s.ID]; ok && r.is("worksheet") { // and no chart
			w.sheets = append(w.sheets, sheetPart{s.Name, r.target})
		}
	}
	return nil
}

// sheet finds a sheet by its name. If no name is given, the workbook must have one sheet alone.
func (w *workbook) sheet(name string) (*zip.File, error) {
	names := make([]string, len(w.sheets))
	for i, s := range w.sheets {
		if s.name == name || name == "" && len(w.sheets) == 1 {
			return w.part(s.part)
		}
		names[i] = strconv.Quote(s.name)
	}
	switch {
	case len(names) == 0:
		return nil, errors.New("the workbook has no sheet with cells")
	case name == "":
		return nil, fmt.Errorf("the workbook has the sheets %s: say which one in the mapping, such as sheet: %s", enumerate(names, 40), names[0])
	}
	return nil, fmt.Errorf("the workbook has no sheet %q: it has %s", name, enumerate(names, 40))
}

func (w *workbook) part(name string) (*zip.File, error) {
	f := w.parts[strings.ToLower(name)]
	if f == nil {
		return nil, fmt.Errorf("the part %q is missing", name)
	}
	return f, nil
}

// decode reads a small part as a whole.
func (w *workbook) decode(name string, to any) error {
	f, err := w.part(name)
	if err != nil {
		return err
	}
	if f.UncompressedSize64 > longestPart {
		return fmt.Errorf("the part %q is larger than %d MiB", name, longestPart>>20)
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if err := xml.NewDecoder(r).Decode(to); err != nil {
		return fmt.Errorf("the part %q: %w", name, err)
	}
	return nil
}

// relation is a pointer from one part to another.
type relation struct{ id, kind, target string }

// is reports whether a relation is of a kind. The addresses of kinds differ between editions of the standard in all but
// their ends.
func (r relation) is(kind string) bool { return strings.HasSuffix(r.kind, "/"+kind) }

// relations reads the pointers of a part, or if part is "", of the whole package.
func (w *workbook) relations(part string) ([]relation, error) {
	var list struct {
		Relations []struct {
			ID     string `xml:"Id,attr"`
			Type   string `xml:"Type,attr"`
			Target string `xml:"Target,attr"`
			Mode   string `xml:"TargetMode,attr"`
		} `xml:"Relationship"`
	}
	folder, base := path.Split(part)
	if err := w.decode(folder+"_rels/"+base+".rels", &list); err != nil {
		return nil, err
	}
	var all []relation
	for _, r := range list.Relations {
		target := strings.TrimPrefix(r.Target, "/")
		if target == r.Target {
			target = path.Join(folder, target)
		}
		if r.Mode != "External" {
			all = append(all, relation{r.ID, r.Type, target})
		}
	}
	return all, nil
}

// readTexts reads the texts that cells share.
func (w *workbook) readTexts(name string) error {
	f, err := w.part(name)
	if err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	d := xml.NewDecoder(r)
	var text rich
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the part %q: %w", name, err)
		}
		if end, ok := t.(xml.EndElement); ok && end.Name.Local == "si" {
			w.texts = append(w.texts, text.take())
		}
		text.add(t)
	}
}

// rich collects a text that is made of runs.
type rich struct {
	text     strings.Builder
	isText   bool
	phonetic int // depth of readings of East Asian scripts, which are no part of the text
}

func (r *rich) add(t xml.Token) {
	switch t := t.(type) {
	case xml.StartElement:
		switch t.Name.Local {
		case "t":
			r.isText = r.phonetic == 0
		case "rPh":
			r.phonetic++
		}
	case xml.EndElement:
		switch t.Name.Local {
		case "t":
			r.isText = false
		case "rPh":
			r.phonetic--
		}
	case xml.CharData:
		if r.isText {
			r.text.Write(t)
		}
	}
}

func (r *rich) take() string {
	s := r.text.String()
	r.text.Reset()
	return unescape(s)
}

// escaped matches a character that XML cannot hold, as workbooks write it.
var escaped = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// unescape returns a text with its escaped characters, and with line feeds alone as line breaks.
func unescape(s string) string {
	if strings.Contains(s, "_x") {
		s = escaped.ReplaceAllStringFunc(s, func(code string) string {
			n, err := strconv.ParseUint(code[2:6], 16, 16)
			if err != nil {
				return code
			}
			return string(rune(n))
		})
	}
	return strings.ReplaceAll(s, "\r\n", "\n")
}
