package demo

import (
	"slices"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

func TestRecordsNameWhatTheEstateHas(t *testing.T) {
	cis, people, teams := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for row, err := range Estate().Rows(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		note(row, cis, people, teams)
	}
	records, err := Records()
	if err != nil {
		t.Fatal(err)
	}
	must := func(known map[string]bool, what, where, id string, mayBeEmpty bool) {
		if !known[id] && (id != "" || !mayBeEmpty) {
			t.Errorf("%s: there is no %s %q", where, what, id)
		}
	}
	timeline := func(where string, entries []Entry, from Offset) {
		for i, e := range entries {
			must(people, "person", where, e.By, false)
			if e.At < from || e.At > 0 || i > 0 && e.At < entries[i-1].At || e.Text == "" ||
				!slices.Contains(domain.Comment.Values(), string(e.Kind)) || e.Kind == domain.StateChange {
				t.Errorf("%s: entry %d is out of order: %+v", where, i, e)
			}
		}
	}
	for key, i := range records.Incidents {
		must(people, "person", key, i.Caller, false)
		must(people, "person", key, i.Assignee, i.State == domain.IncidentNew)
		must(teams, "team", key, i.Team, false)
		timeline(key, i.Timeline, i.OpenedAt)
		roots := 0
		for _, c := range i.CIs {
			must(cis, "CI", key, c.ID, false)
			if c.Role == domain.RootRole {
				roots++
			}
			if c.ID == "orders-db-primary" || !slices.Contains(domain.RootRole.Values(), string(c.Role)) {
				t.Errorf("%s: %+v", key, c)
			}
		}
		cause, ok := records.Changes[i.CausedByChange]
		switch {
		case i.CausedByChange != "" && (!ok || cause.ActualEnd == nil || *cause.ActualEnd > i.OpenedAt):
			t.Errorf("%s: caused by %q, which is not known or not over", key, i.CausedByChange)
		case !i.State.IsOpen() || i.Title == "" || i.Urgency < 1 || i.Urgency > 3 || i.Impact < 0 || i.Impact > 3 || roots == 0:
			t.Errorf("%s: %+v", key, i)
		case !slices.Contains(domain.ChannelAPI.Values(), string(i.Channel)):
			t.Errorf("%s: channel %q", key, i.Channel)
		}
	}
	for key, c := range records.Changes {
		must(people, "person", key, c.RequestedBy, false)
		must(people, "person", key, c.Assignee, false)
		must(teams, "team", key, c.Team, false)
		timeline(key, c.Timeline, c.CreatedAt)
		for _, p := range c.ApprovedBy {
			must(people, "person", key, p, false)
			if p == c.RequestedBy {
				t.Errorf("%s: %s approved their own change", key, p)
			}
		}
		for _, s := range c.CIs {
			must(cis, "CI", key, s.ID, false)
			if !slices.Contains(domain.ChangedRole.Values(), string(s.Role)) {
				t.Errorf("%s: %+v", key, s)
			}
		}
		isOver := c.State == domain.ChangeClosed
		switch {
		case !slices.Contains(domain.ChangeNew.Values(), string(c.State)) || !slices.Contains(domain.Normal.Values(), string(c.Type)):
			t.Errorf("%s: %s %s", key, c.Type, c.State)
		case c.CreatedAt >= c.PlannedStart || c.PlannedStart >= c.PlannedEnd || isOver != (c.PlannedEnd < 0):
			t.Errorf("%s: the window does not fit the state", key)
		case isOver != slices.Contains(domain.Failed.Values(), string(c.Outcome)) || isOver != (c.ClosedAt != nil) || isOver != (c.ActualStart != nil):
			t.Errorf("%s: a closed change, and no other, has an outcome and actual times", key)
		case (c.Type == domain.Standard) != (records.Templates[c.Template].CreatedAt < c.CreatedAt):
			t.Errorf("%s: a STANDARD change, and no other, has a template that is there before it", key)
		case c.Title == "" || c.Template == "" && (c.Plan == "" || c.BackoutPlan == "" || c.TestPlan == ""):
			t.Errorf("%s: something to read is missing", key)
		}
	}
	for key, template := range records.Templates {
		must(people, "person", key, template.CreatedBy, false)
		if template.Plan == "" || template.BackoutPlan == "" || template.TestPlan == "" || template.Description == "" {
			t.Errorf("%s: something to read is missing", key)
		}
	}
	if len(records.Incidents) != 2 || len(records.Changes) != 3 {
		t.Errorf("%d incidents, %d changes", len(records.Incidents), len(records.Changes))
	}
}

func note(row importer.Row, cis, people, teams map[string]bool) {
	switch {
	case row.CI != nil:
		cis[row.CI.ExternalID] = true
	case row.Person != nil:
		people[row.Person.ExternalID] = true
	case row.Team != nil:
		teams[row.Team.ExternalID] = true
	}
}

func TestOnlyWhatIsKnownIsReadAsARecord(t *testing.T) {
	for name, text := range map[string]string{
		"unknown field":  "changes: {a: {titel: b}}",
		"no sign":        "changes: {a: {plannedStart: 72h}}",
		"no duration":    "changes: {a: {plannedStart: +soon}}",
		"empty":          "changes: {a: {plannedStart: ''}}",
		"two documents":  "changes: {}\n---\nchanges: {}",
		"not a document": "[",
	} {
		if _, err := decode([]byte(text)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestAnOffsetCountsFromTheStart(t *testing.T) {
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	r, err := decode([]byte("changes: {a: {plannedStart: +72h, createdAt: -1h30m}}"))
	if err != nil {
		t.Fatal(err)
	}
	c := r.Changes["a"]
	if got := c.PlannedStart.From(now); !got.Equal(now.Add(72 * time.Hour)) {
		t.Error(got)
	}
	if got := c.CreatedAt.From(now); !got.Equal(now.Add(-90 * time.Minute)) {
		t.Error(got)
	}
}
