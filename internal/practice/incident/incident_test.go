package incident_test

import (
	"context"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/timelineentry"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// desk is a practice over the estate, with Olga at work.
type desk struct {
	*tickettest.Estate
	*incident.Practice
	ctx context.Context
}

func each(t *testing.T, test func(t *testing.T, d desk)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := tickettest.Seed(t, s)
		test(t, desk{e, incident.New(s, e.Graph), tickettest.As(t, "olga")})
	})
}

func (d desk) mustOpen(t interface {
	Helper()
	Fatal(...any)
}, in incident.Open,
) *ent.Incident {
	t.Helper()
	if in.Title == "" {
		in.Title = "Orders fail"
	}
	record, err := d.Open(d.ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// timeline lists the entries of an incident but for those of edits.
func (d desk) timeline(of ident.ID) []*ent.TimelineEntry {
	return d.Store.Read.TimelineEntry.Query().Where(timelineentry.RecordID(of), timelineentry.KindNEQ(domain.Edit)).Order(ent.Asc("id")).AllX(d.ctx)
}

// verbs returns the ways to move an incident, by the mutation's name.
func (d desk) verbs(id ident.ID) map[string]func() (*ent.Incident, error) {
	return map[string]func() (*ent.Incident, error){
		"startIncident": func() (*ent.Incident, error) { return d.Start(d.ctx, incident.Start{ID: id}) },
		"holdIncident": func() (*ent.Incident, error) {
			return d.Hold(d.ctx, incident.Hold{ID: id, Reason: domain.AwaitingVendor})
		},
		"resolveIncident": func() (*ent.Incident, error) {
			return alone(d.Resolve(d.ctx, incident.Resolve{ID: id, Code: domain.Fixed, Notes: "n"}))
		},
		"reopenIncident": func() (*ent.Incident, error) { return d.Reopen(d.ctx, incident.Reopen{ID: id, Reason: "again"}) },
		"closeIncident":  func() (*ent.Incident, error) { return d.Close(d.ctx, incident.Close{ID: id}) },
		"cancelIncident": func() (*ent.Incident, error) { return d.Cancel(d.ctx, incident.Cancel{ID: id, Reason: "error"}) },
	}
}

// alone returns the incident that was resolved.
func alone(done *incident.Resolved, err error) (*ent.Incident, error) {
	if err != nil {
		return nil, err
	}
	return done.Incident, nil
}

// moves is the domain's table: from each state, where each mutation leads.
var moves = map[domain.IncidentState]map[string]domain.IncidentState{
	"NEW":         {"startIncident": "IN_PROGRESS", "holdIncident": "ON_HOLD", "resolveIncident": "RESOLVED", "cancelIncident": "CANCELED"},
	"IN_PROGRESS": {"holdIncident": "ON_HOLD", "resolveIncident": "RESOLVED", "cancelIncident": "CANCELED"},
	"ON_HOLD":     {"startIncident": "IN_PROGRESS", "resolveIncident": "RESOLVED", "cancelIncident": "CANCELED"},
	"RESOLVED":    {"closeIncident": "CLOSED", "reopenIncident": "IN_PROGRESS"},
	"CLOSED":      {},
	"CANCELED":    {},
}

// ways lead a new incident into each state.
var ways = map[domain.IncidentState][]string{
	"NEW": nil, "IN_PROGRESS": {"startIncident"}, "ON_HOLD": {"holdIncident"}, "RESOLVED": {"resolveIncident"},
	"CLOSED": {"resolveIncident", "closeIncident"}, "CANCELED": {"cancelIncident"},
}

var noChange = ident.New(ident.Change, 4)

func (d desk) mustDo(t *testing.T, do func() (*ent.Incident, error)) *ent.Incident {
	t.Helper()
	record, err := do()
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestWhoMayNotMayNot(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		i := d.mustOpen(t, incident.Open{})
		viewer := desk{d.Estate, d.Practice, auth.With(t.Context(), auth.Dev("vera", auth.Viewer))}
		nobody := desk{d.Estate, d.Practice, t.Context()}
		for verb := range d.verbs(i.ID) {
			if _, err := viewer.verbs(i.ID)[verb](); errs.CodeOf(err) != errs.Forbidden {
				t.Errorf("%s by a viewer: %v", verb, err)
			}
			if _, err := nobody.verbs(i.ID)[verb](); errs.CodeOf(err) != errs.Unauthenticated {
				t.Errorf("%s by nobody: %v", verb, err)
			}
		}
		if got := incident.Available(viewer.ctx, i, auth.Standing{}); len(got) != 0 {
			t.Errorf("a viewer may %v", got)
		}
		if got := incident.Available(d.ctx, i, auth.Standing{}); len(got) != 4 {
			t.Errorf("an operator may %v", got)
		}
	})
}

func TestStaleAndUnknownRecordsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		i := d.mustOpen(t, incident.Open{})
		old, current := 0, 1
		if _, err := d.Start(d.ctx, incident.Start{ID: i.ID, ExpectedVersion: &old}); errs.CodeOf(err) != errs.Stale {
			t.Errorf("got %v", err)
		}
		if _, err := d.Start(d.ctx, incident.Start{ID: i.ID, ExpectedVersion: &current}); err != nil {
			t.Error(err)
		}
		for id, want := range map[ident.ID]errs.Code{ident.New(ident.Incident, 77): errs.NotFound, d.Ada: errs.Invalid, 0: errs.Required} {
			_, err := d.Start(d.ctx, incident.Start{ID: id})
			if got := tickettest.Faults(t, err); got["id"] != want {
				t.Errorf("%v: %v", id, err)
			}
			_, err = d.Comment(d.ctx, incident.Comment{ID: id, Kind: domain.Comment, Body: "x"})
			if got := tickettest.Faults(t, err); got["id"] != want {
				t.Errorf("comment on %v: %v", id, err)
			}
		}
	})
}

func TestANumberReadsBack(t *testing.T) {
	id := ident.New(ident.Incident, 42)
	if got := incident.Number(id); got != "INC0000042" {
		t.Errorf("got %s", got)
	}
	for _, s := range []string{"INC0000042", "inc0000042"} {
		if got, ok := incident.ParseNumber(s); !ok || got != id {
			t.Errorf("%s: %v", s, got)
		}
	}
	if got, ok := incident.ParseNumber("INC123456789"); !ok || got != ident.New(ident.Incident, 123456789) {
		t.Errorf("got %v", got)
	}
	for _, s := range []string{"", "INC", "INC42", "INC0000000", "INC00000042", "CHG0000042", "INC-000042", "INC+000042", "INC000004x", "INC99999999999999999999"} {
		if got, ok := incident.ParseNumber(s); ok {
			t.Errorf("%q was read as %v", s, got)
		}
	}
}
