package backup

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/version"
	"github.com/linchpin-cmdb/linchpin/internal/audit"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Report is what Verify found.
type Report struct {
	Revision int64
	Entries  int64 // of the journal
	Records  int64 // that the journal tells of, and that are there
	Graph    string
	Link     string   // of the journal's last revision
	Faults   []string // sorted by what they are about, at most mostFaults of them
	More     int      // faults beyond those
}

const (
	mostFaults = 100
	pageSize   = 500
)

// last is what the journal says last of a record.
type last struct {
	entry     ident.ID
	isDeleted bool
}

// Verify compares one revision of a database with its journal: each record is as its last entry says, no record is
// there that no entry made, or missing though none deleted it, each fact has one version that holds, revisions and
// their lines have no gap, their chain holds, and a SQLite file is sound. O(entries) time, O(records) memory. Errors:
// those of the database; what is wrong in it is in the report.
func Verify(ctx context.Context, address string, say func(string)) (r Report, err error) {
	say = told(say)
	s, err := store.OpenReading(ctx, address)
	if err != nil {
		return r, err
	}
	defer func() { _ = s.Close() }()
	say("Checking the file")
	damage, err := s.Damage(ctx)
	if err != nil {
		return r, err
	}
	for _, text := range damage {
		r.fault("%s", text)
	}
	from, err := s.Snapshot(ctx, audit.Connections())
	if err != nil {
		return r, err
	}
	defer from.Close()
	r.Revision = from.Revision
	say("Working out the chain")
	chained, err := audit.Verify(ctx, from, audit.Keys{})
	if err != nil {
		return r, err
	}
	r.Link = hex.EncodeToString(chained.Link)
	if chained.Fault != nil {
		r.fault("the chain of the journal does not hold: %s", chained.Fault)
	}
	say("Reading the journal")
	told, err := r.readJournal(ctx, from.Client, chained.First)
	if err != nil {
		return r, err
	}
	for _, kind := range ident.Kinds() {
		if kind == ident.Entry || kind == ident.Version {
			continue
		}
		say("Comparing each " + kind.Noun())
		if err := r.compareKind(ctx, from.Client, kind, told); err != nil {
			return r, err
		}
	}
	r.missing(told)
	say("Adding up the graph")
	digest, err := journal.DigestOf(ctx, s, from)
	r.Graph = digest.String()
	return r, err
}

func (r *Report) fault(format string, args ...any) {
	if len(r.Faults) == mostFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

// readJournal returns what the journal says last of each record, and looks for gaps from the first revision on that it
// has whole.
func (r *Report) readJournal(ctx context.Context, c *ent.Client, first int64) (map[ident.ID]last, error) {
	told := map[ident.ID]last{}
	at, previous := ident.ID(0), first-1
	for {
		var page []struct {
			ID        ident.ID         `json:"id"`
			Revision  int64            `json:"revision"`
			RecordID  ident.ID         `json:"record_id"`
			Operation domain.Operation `json:"operation"`
		}
		err := c.Entry.Query().Where(entry.IDGT(at)).Order(ent.Asc(entry.FieldID)).Limit(10*pageSize).
			Select(entry.FieldID, entry.FieldRevision, entry.FieldRecordID, entry.FieldOperation).Scan(ctx, &page)
		if err != nil || len(page) == 0 {
			if err == nil && previous != r.Revision {
				r.fault("the journal ends with revision %d, and the head is %d", previous, r.Revision)
			}
			return told, store.Translate(err)
		}
		for _, e := range page {
			switch {
			case e.Revision < first: // it was kept when others were purged
			case e.Revision == previous && e.ID == at+1, e.Revision == previous+1 && e.ID == store.EntryID(e.Revision, 0):
			default:
				r.fault("the journal has a gap before %s of revision %d: the entry before it is %s of revision %d", e.ID, e.Revision, at, previous)
			}
			at, previous = e.ID, max(e.Revision, first-1)
			if e.RecordID.Kind() != ident.Entry { // an entry was redacted
				told[e.RecordID] = last{e.ID, e.Operation == domain.Deleted}
			}
			r.Entries++
		}
	}
}

// compareKind compares the records of a kind with their last entries, and takes those that are there out of told.
func (r *Report) compareKind(ctx context.Context, c *ent.Client, kind ident.Kind, told map[ident.ID]last) error {
	for after := ident.ID(0); ; {
		page, err := c.Records(ctx, kind, after, pageSize)
		if err != nil || len(page) == 0 {
			return store.Translate(err)
		}
		records := make(map[ident.ID]map[string]any, len(page))
		var ids, entries []ident.ID
		for _, record := range page {
			all, err := store.Fields(record)
			if err != nil {
				return err
			}
			id, err := ident.Parse(all["id"].(string))
			if err != nil {
				return err
			}
			records[id], ids, after = all, append(ids, id), id
			if l, ok := told[id]; ok {
				entries = append(entries, l.entry)
			}
		}
		said, err := c.Entry.Query().Where(entry.IDIn(entries...)).All(ctx)
		if err != nil {
			return store.Translate(err)
		}
		byRecord := make(map[ident.ID]*ent.Entry, len(said))
		for _, e := range said {
			byRecord[e.RecordID] = e
		}
		columns := columnsOf(page[0])
		for _, id := range ids {
			r.compareRecord(id, columns, records[id], byRecord[id])
			delete(told, id)
		}
		if store.IsVersioned(kind) {
			if err := r.compareVersions(ctx, c, ids, byRecord); err != nil {
				return err
			}
		}
	}
}

// columnsOf returns the names that a record's fields have in the journal.
func columnsOf(record any) map[string]bool {
	columns := map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeOf(record).Elem()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		columns[name] = true
	}
	return columns
}

// compareRecord compares a record with its last entry, in the columns that the table still has.
func (r *Report) compareRecord(id ident.ID, columns map[string]bool, record map[string]any, said *ent.Entry) {
	switch {
	case said == nil && id.Kind() == ident.Account && record[account.FieldIssuer] == "name":
		return // a migration made it of a name; it cannot sign in
	case said == nil:
		r.fault("%s is there, and no entry of the journal made it", id)
		return
	case said.Operation == domain.Deleted:
		r.fault("%s is there, and revision %d deleted it", id, said.Revision)
		return
	}
	r.Records++
	for _, name := range slices.Sorted(maps.Keys(said.After)) {
		if value := said.After[name]; columns[name] && !reflect.DeepEqual(record[name], value) {
			r.fault("%s: %s is %v, and revision %d wrote %v", id, name, record[name], said.Revision, value)
		}
	}
}

// compareVersions compares the versions that hold with the last entries of their records.
func (r *Report) compareVersions(ctx context.Context, c *ent.Client, ids []ident.ID, said map[ident.ID]*ent.Entry) error {
	holding, err := c.Version.Query().Where(version.RecordIDIn(ids...), version.ValidTo(store.Forever)).All(ctx)
	if err != nil {
		return store.Translate(err)
	}
	found := make(map[ident.ID]int, len(ids))
	for _, v := range holding {
		found[v.RecordID]++
		if e := said[v.RecordID]; e != nil && v.ID != e.ID.As(ident.Version) {
			r.fault("%s: the version that holds is from revision %d, and the last entry from %d", v.RecordID, v.ValidFrom, e.Revision)
		}
	}
	for _, id := range ids {
		if found[id] != 1 {
			r.fault("%s has %d versions that hold, instead of one", id, found[id])
		}
	}
	return nil
}

// missing tells of records that should be there.
func (r *Report) missing(told map[ident.ID]last) {
	var ids []ident.ID
	for id, l := range told {
		if !l.isDeleted {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		r.fault("%s is not there, and %s made it or changed it last", id, told[id].entry)
	}
}
