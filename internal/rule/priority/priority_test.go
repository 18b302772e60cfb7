package priority_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/priority"
)

func TestWithoutRulesPriorityIsImpactPlusUrgencyMinusOne(t *testing.T) {
	want := [3][3]int{{1, 2, 3}, {2, 3, 4}, {3, 4, 5}}
	for level := 1; level <= 3; level++ {
		for urgency := 1; urgency <= 3; urgency++ {
			if got := priority.Of(nil, level, urgency); got != want[level-1][urgency-1] {
				t.Errorf("impact %d, urgency %d: P%d", level, urgency, got)
			}
		}
	}
}

func TestARuleDecidesWhereThereIsOne(t *testing.T) {
	rules := []priority.Rule{{1, 3, 1}, {2, 2, 9}}
	for _, c := range []struct{ level, urgency, want int }{{1, 3, 1}, {3, 1, 3}, {2, 2, 3}} {
		if got := priority.Of(rules, c.level, c.urgency); got != c.want {
			t.Errorf("impact %d, urgency %d: P%d, want P%d", c.level, c.urgency, got, c.want)
		}
	}
}

func TestTheSuggestionSaysWhy(t *testing.T) {
	down, degraded := impact.Down, impact.Degraded
	found, reported, follows := priority.Found, priority.Reported, priority.Follows
	for _, c := range []struct {
		services []priority.Service
		level    int
		reason   string
	}{
		{nil, 3, "No service is affected."},
		{[]priority.Service{{"", 4, down, true, found}}, 1, "1 service of tier rank 1 or restricted is DOWN."},
		{[]priority.Service{{"pay", 1, degraded, false, found}, {"", 0, degraded, true, found}}, 2, "2 services of tier rank 1 or restricted are DEGRADED: pay and 1 more."},
		{[]priority.Service{{"pay", 1, down, false, found}}, 1, "1 service of tier rank 1 is DOWN: pay."},
		{[]priority.Service{{"pay", 1, degraded, false, found}, {"shop", 2, down, false, found}}, 2, "1 service of tier rank 1 is DEGRADED: pay."},
		{[]priority.Service{{"shop", 2, down, false, found}, {"mail", 2, down, false, found}}, 1, "2 services of tier rank 1 or 2 are DOWN: shop and mail."},
		{[]priority.Service{{"shop", 2, down, false, found}, {"mail", 2, degraded, false, found}}, 2, "1 service of tier rank 2 is DOWN: shop."},
		{[]priority.Service{{"a", 0, down, false, found}, {"b", 3, degraded, false, found}, {"c", 2, degraded, false, found}}, 2, "3 services are DEGRADED or DOWN: a, b and c."},
		{[]priority.Service{{"a", 0, down, false, found}, {"b", 0, down, false, found}, {"c", 0, down, false, found}, {"d", 0, down, false, found}}, 2, "4 services are DOWN: a, b, c and 1 more."},
		{[]priority.Service{{"", 0, degraded, false, found}, {"", 0, degraded, false, found}, {"", 0, degraded, false, found}}, 2, "3 services are DEGRADED."},
		{[]priority.Service{{"a", 0, down, false, found}, {"b", 3, down, false, found}}, 3, "2 services are DOWN: a and b."},
		{[]priority.Service{{"a", 2, degraded, false, found}}, 3, "1 service is DEGRADED: a."},
		{[]priority.Service{{"a", 1, impact.AtRisk, false, found}, {"b", 1, impact.Operational, false, found}}, 3, "No service is affected."},
		{[]priority.Service{{"pay", 1, down, false, reported}}, 1, "1 service of tier rank 1 is named as AFFECTED: pay."},
		{[]priority.Service{{"pay", 1, down, false, follows}}, 1, "1 service of tier rank 1 would be DOWN if what is named as AFFECTED were: pay."},
		{[]priority.Service{{"pay", 1, down, false, reported}, {"shop", 1, down, false, follows}}, 1, "2 services of tier rank 1 are named as AFFECTED, or would be DOWN by that: pay and shop."},
		{[]priority.Service{{"pay", 1, down, false, found}, {"shop", 1, down, false, follows}}, 1, "2 services of tier rank 1 are DOWN, or would be DOWN if what is named as AFFECTED were: pay and shop."},
		{[]priority.Service{{"a", 0, degraded, false, found}, {"b", 0, down, false, reported}, {"c", 0, down, false, reported}}, 2, "3 services are DEGRADED, or would be DOWN if what is named as AFFECTED were: a, b and c."},
		{[]priority.Service{{"pay", 1, degraded, false, found}, {"shop", 0, down, false, reported}}, 2, "1 service of tier rank 1 is DEGRADED: pay."},
	} {
		if got := priority.Suggest(c.services, 0); got.Level != c.level || got.Reason != c.reason {
			t.Errorf("%v\n got %d %s\nwant %d %s", c.services, got.Level, got.Reason, c.level, c.reason)
		}
	}
}

func TestMoreHarmNeverLowersTheSuggestion(t *testing.T) {
	service := rapid.Custom(func(t *rapid.T) priority.Service {
		return priority.Service{Rank: rapid.IntRange(0, 3).Draw(t, "rank"), State: impact.State(rapid.IntRange(0, 3).Draw(t, "state"))}
	})
	rapid.Check(t, func(t *rapid.T) {
		services := rapid.SliceOfN(service, 0, 6).Draw(t, "services")
		before := priority.Suggest(services, 0).Level
		if len(services) > 0 && rapid.Bool().Draw(t, "worsen") {
			services[0].State = impact.Down
		} else {
			services = append(services, service.Draw(t, "another"))
		}
		if after := priority.Suggest(services, 0).Level; after > before || after < 1 || before > 3 {
			t.Fatalf("from %d to %d", before, after)
		}
	})
}
