package table

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// guessed is how many rows a guess looks at.
const guessed = 200

// GuessOptions say what a file does not tell of itself.
type GuessOptions struct{ Sheet, Encoding string }

// Guess writes a mapping of a file, guessed from its header and its first rows: a draft that a person goes through.
func Guess(w io.Writer, file string, o GuessOptions) error {
	f := format{sheet: o.Sheet}
	if o.Encoding != "" {
		var err error
		if f.encoding, err = encodingOf(o.Encoding); err != nil {
			return err
		}
	}
	r, err := open(file, f)
	if err != nil {
		return err
	}
	defer func() { _ = r.close() }()
	_, names, err := header(file, r)
	if err != nil {
		return err
	}
	g := &guess{names: names, texts: make([][]string, len(names)), taken: make([]bool, len(names))}
	for g.rows < guessed {
		line, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if line.wrong != "" {
			continue
		}
		g.rows++
		for i := range names {
			g.texts[i] = append(g.texts[i], strings.TrimSpace(line.cells[i].text))
		}
	}
	_, err = io.WriteString(w, g.mapping(sourceName(file), o))
	return err
}

// sourceName makes the code of a source of a file's name.
func sourceName(file string) string {
	name := slug(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
	if name == "" {
		return "table"
	}
	return name
}

// slug returns the letters and digits of a text in lower case, with dashes between.
func slug(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), "-")
}

// guess is a mapping in the making.
type guess struct {
	names []string
	texts [][]string // of the first rows, by column
	taken []bool
	rows  int
	out   strings.Builder
}

// hint is what names of columns often mean. Names are compared by their letters and digits.
type hint struct {
	field string
	names []string
}

// The meanings that a guess knows, in the order in which they are written.
var (
	keyHints   = []string{"assettag", "assetid", "asset", "inventorynumber", "inventarnummer", "sysid", "id", "uuid", "ciid", "key", "serialnumber", "serial", "hostname", "fqdn", "name"}
	classHints = []string{"class", "type", "ciclass", "sysclassname", "category", "kind", "devicetype", "typ"}
	fieldHints = []hint{
		{"name", []string{"hostname", "name", "servername", "ciname", "devicename", "server", "fqdn", "computername", "systemname", "asset"}},
		{"description", []string{"description", "shortdescription", "comment", "comments", "notes", "remarks", "beschreibung"}},
		{"lifecycle", []string{"lifecycle", "status", "state", "installstatus", "operationalstatus"}},
		{"environment", []string{"environment", "env", "stage", "umgebung"}},
		{"criticality", []string{"criticality", "priority", "businesscriticality", "importance"}},
		{"attributes.serialNumber", []string{"serialnumber", "serial", "serialno", "sn", "seriennummer"}},
		{"attributes.vendor", []string{"vendor", "manufacturer", "make", "hersteller"}},
		{"attributes.model", []string{"model", "modelname", "modell"}},
		{"attributes.os", []string{"os", "operatingsystem", "betriebssystem"}},
		{"attributes.ipAddress", []string{"ip", "ipaddress", "ipv4", "primaryip", "ipadresse"}},
		{"attributes.cpuCores", []string{"cpu", "cpus", "cores", "cpucores", "vcpu", "vcpus", "cpucount"}},
		{"attributes.memoryGiB", []string{"ram", "memory", "memorygib", "memorygb", "ramgb", "memgb"}},
		{"attributes.version", []string{"version"}},
		{"labels.cost-center", []string{"costcenter", "cc", "costcentre", "kostenstelle"}},
	}
	ownerHints = []string{"owner", "team", "ownerteam", "owningteam", "supportgroup", "managedby", "assignmentgroup"}
	edgeHints  = []hint{
		{"runs_on", []string{"host", "runson", "hypervisor", "cluster", "esxhost", "vmhost"}},
		{"contained_in", []string{"rack", "location", "site", "room", "datacenter", "building", "standort"}},
		{"depends_on", []string{"dependson", "needs", "dependencies", "requires", "uses", "database"}},
	}
)

// meanings are the words that are often used for the values of a field.
var meanings = map[string]map[string]string{
	"environment": words(map[domain.Environment]string{
		domain.Production: "prod production prd live p", domain.Staging: "stage staging preprod pre-production qa uat acceptance",
		domain.Testing: "test testing tst t integration", domain.Development: "dev development develop d sandbox", domain.DisasterRecovery: "dr disaster-recovery",
	}),
	"lifecycle": words(map[domain.Lifecycle]string{
		domain.Planned: "planned ordered on-order requested", domain.Build: "build in-build pending-install staged provisioning", domain.Live: "live active in-use installed operational deployed online running in-service",
		domain.Deprecated: "deprecated end-of-life eol phase-out", domain.Retired: "retired decommissioned disposed inactive scrapped offline",
	}),
	"criticality": words(map[domain.Criticality]string{
		domain.CriticalityCritical: "critical 1 very-high 1-most-critical", domain.CriticalityHigh: "high 2 2-somewhat-critical", domain.CriticalityMedium: "medium normal 3 3-less-critical moderate", domain.CriticalityLow: "low 4 4-not-critical minor",
	}),
	"class": words(map[string]string{
		"server": "server physical-server host machine baremetal", "virtual_machine": "vm virtual-machine virtual-server virtual guest", "switch": "switch", "router": "router", "firewall": "firewall",
		"load_balancer": "load-balancer loadbalancer lb", "storage": "storage san nas", "rack": "rack", "pdu": "pdu", "ups": "ups", "hypervisor": "hypervisor esx esxi", "cluster": "cluster",
		"database": "database db", "application": "application app", "middleware": "middleware", "web_server": "web-server webserver", "computer": "computer workstation desktop laptop pc",
		"site": "site datacenter", "room": "room", "instance": "instance ec2", "application_service": "service application-service", "business_service": "business-service",
	}),
}

// words turns what means a value into a table, by slug.
func words[V ~string](of map[V]string) map[string]string {
	all := map[string]string{}
	for value, texts := range of {
		for text := range strings.FieldsSeq(texts) {
			all[text] = string(value)
		}
		all[slug(string(value))] = string(value)
	}
	return all
}

// mapping writes all that was guessed, and what is left for a person as comments.
func (g *guess) mapping(source string, o GuessOptions) string {
	g.say("# Guessed from the header and the first %d rows: go through it before you import.", g.rows)
	g.say("version: 1")
	g.say("source: %s", source)
	if o.Sheet != "" {
		g.say("sheet: %s", quoted(o.Sheet))
	}
	if o.Encoding != "" {
		g.say("encoding: %s", o.Encoding)
	}
	g.class()
	key := g.key()
	g.say("fields:")
	g.fields(key)
	g.edges()
	g.say("null: [] # texts that mean \"there is none\", such as [\"-\", \"n/a\"]; an empty cell says nothing")
	g.rest(key)
	return g.out.String()
}

func (g *guess) say(format string, args ...any) {
	fmt.Fprintf(&g.out, format+"\n", args...)
}

// find returns the first free column of one of the names, or -1.
func (g *guess) find(names []string) int {
	for _, want := range names {
		for i, name := range g.names {
			if !g.taken[i] && strings.ReplaceAll(slug(name), "-", "") == want && g.isSingle(i) {
				return i
			}
		}
	}
	return -1
}

// isSingle reports whether a column's name stands in the header once, and so can be mapped.
func (g *guess) isSingle(i int) bool {
	n := 0
	for _, name := range g.names {
		if name == g.names[i] {
			n++
		}
	}
	return n == 1
}

// values returns the different texts of a column, without the empty one, in the order of their first rows.
func (g *guess) values(i int) (all []string) {
	for _, text := range g.texts[i] {
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

func (g *guess) class() {
	i := g.find(classHints)
	if i < 0 {
		g.say("class: {default: server} # no column tells the class: this one is for all rows")
		return
	}
	g.taken[i] = true
	g.say("class:")
	g.lookUp(i, "  ", meanings["class"], "a code such as server or virtual_machine")
}

// lookUp writes the lines of a value that is looked up by its words. If none of them is known, the cells stand as they
// are.
func (g *guess) lookUp(i int, indent string, known map[string]string, what string) {
	g.say("%scolumn: %s", indent, quoted(g.names[i]))
	var unknown []string
	isMapped := false
	for _, text := range g.values(i) {
		to, ok := known[slug(text)]
		if !ok {
			unknown = append(unknown, text)
			continue
		}
		if !isMapped {
			g.say("%sstrict: true # a row with another text is left out", indent)
			g.say("%smap:", indent)
			isMapped = true
		}
		g.say("%s  %s: %s", indent, quoted(text), to)
	}
	if unknown == nil {
		return
	}
	if !isMapped {
		g.say("%s# map:", indent)
	}
	const shown = 20
	for _, text := range unknown[:min(len(unknown), shown)] {
		g.say("%s  # %s: %s", indent, quoted(text), what)
	}
	if more := len(unknown) - shown; more > 0 {
		g.say("%s  # … and %d more", indent, more)
	}
}

// key writes the key, and returns its column: the first of the known names whose cells are all different, or else the
// first such column of any name. If there is none, it takes the first column.
func (g *guess) key() int {
	best := -1
	for _, want := range keyHints {
		if i := g.find([]string{want}); i >= 0 && g.isUnique(i) {
			best = i
			break
		}
	}
	for i := 0; i < len(g.names) && best < 0; i++ {
		if g.names[i] != "" && g.isSingle(i) && g.isUnique(i) {
			best = i
		}
	}
	note := ""
	if best < 0 {
		best, note = max(slices.IndexFunc(g.names, func(name string) bool { return name != "" }), 0), " # two of its cells are the same, or one is empty: name several columns, which are joined"
	}
	g.say("key: [%s]%s", quoted(g.names[best]), note)
	return best
}

func (g *guess) isUnique(i int) bool {
	return g.rows > 0 && len(g.values(i)) == g.rows
}

func (g *guess) fields(key int) {
	hasName := false
	for _, h := range fieldHints {
		i := g.find(h.names)
		if i < 0 && h.field == "name" {
			i = key
		}
		if i < 0 {
			continue
		}
		g.taken[i] = true
		hasName = hasName || h.field == "name"
		known := meanings[h.field]
		switch {
		case known != nil:
			g.say("  %s:", h.field)
			g.lookUp(i, "    ", known, "one of "+strings.Join(plainFields[h.field], ", "))
		case h.field == "attributes.cpuCores" || h.field == "attributes.memoryGiB":
			if decimal := g.decimal(i); decimal != "" {
				g.say("  %s: {column: %s, number: %q}", h.field, quoted(g.names[i]), decimal)
			} else {
				g.taken[i] = false
			}
		default:
			g.say("  %s: %s", h.field, quoted(g.names[i]))
		}
	}
	if i := g.find(ownerHints); i >= 0 {
		g.taken[i] = true
		g.say("  owners:")
		g.say("    - {team: %s, role: owner} # the key of a team", quoted(g.names[i]))
	}
}

var (
	pointed = regexp.MustCompile(`^\d+(\.\d+)?$`)
	commaed = regexp.MustCompile(`^\d+(,\d+)?$`)
)

// decimal returns the decimal sign of a column of numbers, or "" if not all cells are numbers.
func (g *guess) decimal(i int) string {
	all := func(is *regexp.Regexp) bool {
		return !slices.ContainsFunc(g.values(i), func(s string) bool { return !is.MatchString(s) })
	}
	switch {
	case all(pointed):
		return "."
	case all(commaed):
		return ","
	}
	return ""
}

func (g *guess) edges() {
	begun := false
	for _, h := range edgeHints {
		for i := g.find(h.names); i >= 0; i = g.find(h.names) {
			if g.taken[i] = true; !begun {
				g.say("relationships: # each cell names the key of another CI")
				begun = true
			}
			split := ""
			for _, by := range []string{";", ","} {
				if split == "" && slices.ContainsFunc(g.values(i), func(s string) bool { return strings.Contains(s, by) }) {
					split = fmt.Sprintf(", split: %q", by)
				}
			}
			g.say("  - {type: %s, target: %s%s}", h.field, quoted(g.names[i]), split)
		}
	}
}

// rest lists the columns that were not guessed.
func (g *guess) rest(key int) {
	said := false
	for i, name := range g.names {
		if g.taken[i] || i == key || name == "" {
			continue
		}
		if !said {
			g.say("# Not read, unless you add them to fields:")
			said = true
		}
		example := ""
		if values := g.values(i); len(values) > 0 {
			example = " # such as " + document.Quote(values[0])
		}
		label := slug(name)
		if label == "" {
			label = columnName(i)
		}
		g.say("#  attributes.%s: %s%s", label, quoted(name), example)
	}
}

// simple matches a text that YAML reads as itself without quotes.
var simple = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 _./-]*$`)

// quoted returns a text as YAML reads it again.
func quoted(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return strconv.Quote(s)
	}
	if simple.MatchString(s) && !strings.HasSuffix(s, " ") {
		return s
	}
	return strconv.Quote(strings.ToValidUTF8(s, "?"))
}
