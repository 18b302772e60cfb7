package incident_test

import (
	"slices"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
)

func TestTheDifferenceSaysWhatFaredOtherwiseTheWorstFirst(t *testing.T) {
	shot := func(count int, states ...string) *domain.ImpactSnapshot {
		s := &domain.ImpactSnapshot{ServiceCount: count}
		for n, state := range states {
			if state != "" {
				s.Services = append(s.Services, domain.ImpactedRecord{CI: ident.New(ident.CI, int64(n+1)), Name: string(rune('a' + n)), State: state})
			}
		}
		return s
	}
	type change struct{ name, before, after string }
	for name, c := range map[string]struct {
		opening, resolution *domain.ImpactSnapshot
		want                []change
		isPartial           bool
	}{
		"nothing at either moment": {shot(0), shot(0), nil, false},
		"the same":                 {shot(2, "DOWN", "DEGRADED"), shot(2, "DOWN", "DEGRADED"), nil, false},
		"every way to differ": {
			shot(3, "DOWN", "DEGRADED", "", "DOWN", ""), shot(4, "DEGRADED", "", "DOWN", "DOWN", "DEGRADED"),
			[]change{{"c", "", "DOWN"}, {"a", "DOWN", "DEGRADED"}, {"e", "", "DEGRADED"}, {"b", "DEGRADED", ""}},
			false,
		},
		"cut at opening":                    {shot(3, "DOWN"), shot(1, "DOWN"), nil, true},
		"cut at resolution":                 {shot(1, "DOWN"), shot(9, "DOWN"), nil, true},
		"from before services were counted": {shot(0, "DOWN"), shot(0), []change{{"a", "DOWN", ""}}, false},
	} {
		differences, isPartial := incident.Differences(c.opening, c.resolution)
		var got []change
		for _, d := range differences {
			got = append(got, change{d.Name, d.Before, d.After})
		}
		if !slices.Equal(got, c.want) || isPartial != c.isPartial {
			t.Errorf("%s: got %v, partial %v", name, got, isPartial)
		}
	}
}

func TestSnapshotsOfImpactKeepWhatTheGraphSaidThen(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		i := d.mustOpen(t, incident.Open{CIs: []incident.CI{{d.Database, domain.RootRole}}})
		if _, err := d.SetCIs(d.ctx, incident.SetCIs{ID: i.ID, CIs: []incident.CI{{d.Server, domain.RootRole}}}); err != nil {
			t.Fatal(err)
		}
		d.mustDo(t, d.verbs(i.ID)["resolveIncident"])
		record := d.Store.Read.Incident.GetX(d.ctx, i.ID)
		if record.ImpactAtOpening.ServiceCount != 1 || record.ImpactAtResolution.ServiceCount != 1 {
			t.Errorf("services were not counted: %v, %v", record.ImpactAtOpening, record.ImpactAtResolution)
		}
		differences, isPartial := incident.Differences(record.ImpactAtOpening, record.ImpactAtResolution)
		want := []incident.Difference{{d.Mail, "mail", "", "DOWN"}, {d.Shop, "shop", "DOWN", ""}}
		if !slices.Equal(differences, want) || isPartial {
			t.Errorf("got %v, want %v", differences, want)
		}
	})
}
