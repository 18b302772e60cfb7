package demo_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/demo"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// world is the demo estate as the engine sees it.
type world struct {
	estate
	t        *testing.T
	snapshot *topology.Snapshot
	ids      map[string]ident.ID
	keys     map[ident.ID]string
}

func build(t *testing.T) world {
	t.Helper()
	w := world{estate: load(t), t: t, ids: map[string]ident.ID{}, keys: map[ident.ID]string{}}
	batch := topology.Batch{Revision: 1}
	types := map[string]ident.ID{}
	for i, code := range slices.Sorted(maps.Keys(flows)) {
		types[code] = ident.New(ident.RelationshipType, int64(i+1))
		f := topology.Type{ID: types[code], Strength: topology.Hard}
		f.Flow, _ = topology.ParseFlow(string(flows[code].flow))
		if flows[code].isSoft {
			f.Strength = topology.Soft
		}
		batch.Types = append(batch.Types, f)
	}
	for i, key := range w.order {
		ci := ident.New(ident.CI, int64(i+1))
		w.ids[key], w.keys[ci] = ci, key
		batch.CIs = append(batch.CIs, topology.CI{ID: ci, Class: ident.New(ident.CIClass, 1), IsService: w.cis[key].Service != nil})
	}
	for _, key := range w.order {
		c := w.cis[key]
		numbers := map[importer.GroupMember]ident.ID{}
		for _, r := range c.Relationships {
			f := topology.Relationship{
				ID:   ident.New(ident.Relationship, int64(len(batch.Relationships)+1)),
				Type: types[r.Type], Source: w.ids[key], Target: w.ids[r.Target],
			}
			if r.IsReverse {
				f.Source, f.Target = f.Target, f.Source
			}
			if r.Strength != "" {
				f.Strength, _ = topology.ParseStrength(r.Strength)
			}
			numbers[importer.GroupMember{Type: r.Type, Target: r.Target, IsReverse: r.IsReverse}] = f.ID
			batch.Relationships = append(batch.Relationships, f)
		}
		for _, g := range c.Groups {
			f := topology.Group{ID: ident.New(ident.DependencyGroup, int64(len(batch.Groups)+1)), Dependent: w.ids[key], Threshold: g.Threshold}
			f.Mode, _ = topology.ParseMode(g.Mode)
			for _, m := range g.Members {
				weight := m.Weight
				m.Weight = 0
				f.Members = append(f.Members, topology.Member{Relationship: numbers[m], Weight: weight})
			}
			batch.Groups = append(batch.Groups, f)
		}
	}
	graph := topology.New()
	if err := graph.Load(batch); err != nil {
		t.Fatal(err)
	}
	w.snapshot = graph.Snapshot()
	return w
}

// states returns the states of all CIs that are not OPERATIONAL while some CIs are DOWN.
func (w world) states(failed ...string) map[string]impact.State {
	w.t.Helper()
	var q impact.Question
	for _, key := range failed {
		q.Failed = append(q.Failed, impact.Failure{CI: w.ids[key], State: impact.Down})
	}
	answer, err := impact.Of(w.t.Context(), w.snapshot, q)
	if err != nil {
		w.t.Fatal(err)
	}
	states := map[string]impact.State{}
	for _, h := range answer.Affected(impact.Filter{AtLeast: impact.AtRisk}) {
		states[w.keys[h.CI]] = h.State
	}
	return states
}

// among lists the CIs of a state without the failed ones.
func among(states map[string]impact.State, s impact.State, failed ...string) []string {
	var keys []string
	for key, state := range states {
		if state == s && !slices.Contains(failed, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// tierOne are the business services that must not stop.
var tierOne = []string{"checkout", "customer-accounts", "online-shop", "payments", "product-search"}

func TestTheStoriesOfTheEstate(t *testing.T) {
	w := build(t)
	for name, story := range map[string]struct {
		failed []string
		want   map[impact.State][]string // at least these
		down   []string                  // exactly these of tier 1
	}{
		"orders are written in one place": {
			failed: []string{"orders-db-primary"},
			want: map[impact.State][]string{
				impact.Down:        {"orders", "orders-api", "checkout-api", "refunds"},
				impact.Degraded:    {"order-history", "order-fulfilment", "returns"},
				impact.AtRisk:      {"orders-db"},
				impact.Operational: {"online-shop", "product-search", "payments", "customer-accounts", "inventory"},
			},
			down: []string{"checkout"},
		},
		"a replica may fail": {
			failed: []string{"orders-db-replica-rtm"},
			want:   map[impact.State][]string{impact.AtRisk: {"orders-db", "order-history", "orders", "checkout"}},
		},
		"a commit waits for one standby": {
			failed: []string{"orders-db-replica-rtm", "orders-db-replica-ham"},
			want:   map[impact.State][]string{impact.Down: {"orders-db", "orders", "order-history"}},
			down:   []string{"checkout"},
		},
		"the payment enclave shares a rack": {
			failed: []string{"rack-rtm-r3"},
			want:   map[impact.State][]string{impact.Down: {"payment-gateway", "payments-db"}, impact.Operational: {"k8s-rtm", "orders", "online-shop"}},
			down:   []string{"checkout", "payments"},
		},
		"both feeds of that rack come from UPS A": {
			failed: []string{"ups-rtm-a"},
			want: map[impact.State][]string{
				impact.Down:   {"rack-rtm-r3", "payment-gateway-1", "payment-gateway-2"},
				impact.AtRisk: {"rack-rtm-r1", "rack-rtm-r2", "rack-rtm-r4", "rack-rtm-r5"},
			},
			down: []string{"checkout", "payments"},
		},
		"and none from UPS B": {
			failed: []string{"ups-rtm-b"},
			want:   map[impact.State][]string{impact.AtRisk: {"rack-rtm-r1", "srv-rtm-01"}, impact.Operational: {"rack-rtm-r3"}},
		},
		"the shop's prices stand in a closet": {
			failed: []string{"nas-utrecht"},
			want:   map[impact.State][]string{impact.Down: {"vat-rates", "pricing", "promotions", "cart"}, impact.Degraded: {"online-shop"}},
			down:   []string{"checkout"},
		},
		"the closet has one line": {
			failed: []string{"transit-polderfibre"},
			want:   map[impact.State][]string{impact.Down: {"tunnel-utrecht", "vat-rates"}, impact.AtRisk: {"fw-rtm-1", "fw-ham-1"}},
			down:   []string{"checkout"},
		},
		"Hamburg without power degrades the shop": {
			failed: []string{"ups-ham-a", "ups-ham-b"},
			want: map[impact.State][]string{
				impact.Degraded: {"checkout", "online-shop", "customer-accounts"},
				impact.AtRisk:   {"orders-db", "search-cluster", "broker", "identity", "internal-dns"},
			},
		},
		"Rotterdam without power stops what is written and paid": {
			failed: []string{"ups-rtm-a", "ups-rtm-b"},
			want:   map[impact.State][]string{impact.Degraded: {"online-shop"}, impact.AtRisk: {"search-cluster", "broker", "customer-profile"}},
			down:   []string{"checkout", "payments"},
		},
		"a host takes a node and no workload": {
			failed: []string{"srv-ham-02"},
			want: map[impact.State][]string{
				impact.Down: {"k8s-ham-node-2", "storefront-web-ham-2"}, impact.AtRisk: {"k8s-ham", "vmcluster-ham", "storefront"},
				impact.Operational: {"orders-ham", "online-shop"},
			},
		},
		"a storage fabric may fail": {
			failed: []string{"sw-rtm-san-a"},
			want:   map[impact.State][]string{impact.AtRisk: {"vol-orders-db", "vol-rtm-vms", "orders-db-primary"}},
		},
		"one fast path alone is too slow": {
			failed: []string{"san-rtm-01-fc1", "san-rtm-01-fc3", "san-rtm-01-fc4"},
			want:   map[impact.State][]string{impact.Down: {"vol-orders-db", "orders-db-primary"}},
			down:   []string{"checkout"},
		},
		"losing telemetry blinds and stops nothing": {
			failed: []string{"telemetry"},
			want:   map[impact.State][]string{impact.Degraded: {"alerting"}, impact.Operational: {"orders", "storefront"}},
		},
		"the warehouse stops and orders are taken": {
			failed: []string{"site-venlo"},
			want:   map[impact.State][]string{impact.Down: {"order-fulfilment"}, impact.Operational: {"checkout", "orders"}},
		},
		"half of the pods carry the pages": {
			failed: []string{"storefront-web-rtm"},
			want:   map[impact.State][]string{impact.Down: {"storefront-web-rtm-4"}, impact.AtRisk: {"storefront"}},
		},
		"less than half do not": {
			failed: []string{"storefront-web-rtm", "k8s-ham-node-1"},
			want:   map[impact.State][]string{impact.Down: {"storefront"}},
			down:   []string{"online-shop"},
		},
		"pricing and promotions ask each other": {
			failed: []string{"promotions"},
			want:   map[impact.State][]string{impact.Down: {"pricing"}},
			down:   []string{"checkout"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			states := w.states(story.failed...)
			for state, keys := range story.want {
				for _, key := range keys {
					if w.cis[key] == nil {
						t.Fatalf("there is no %s", key)
					}
					if states[key] != state {
						t.Errorf("%s is %s, want %s", key, states[key], state)
					}
				}
			}
			var down []string
			for _, key := range tierOne {
				if states[key] == impact.Down {
					down = append(down, key)
				}
			}
			if !slices.Equal(down, story.down) {
				t.Errorf("of tier 1 %v are DOWN, want %v", down, story.down)
			}
		})
	}
}

func TestOnePDUOfARackWithTwoTakesNothingDown(t *testing.T) {
	w := build(t)
	tried := 0
	for _, key := range w.order {
		if w.cis[key].Class != "pdu" || key == "pdu-utrecht" || key == "pdu-venlo" {
			continue
		}
		tried++
		states := w.states(key)
		if down, degraded := among(states, impact.Down, key), among(states, impact.Degraded); len(down)+len(degraded) > 0 || len(states) < 2 {
			t.Errorf("%s: %v", key, states)
		}
	}
	if tried != 18 {
		t.Errorf("%d PDUs", tried)
	}
}

// TestNoSingleMachineStopsTierOne allows for the machines that a story is about.
func TestNoSingleMachineStopsTierOne(t *testing.T) {
	w := build(t)
	classes := []string{"server", "hypervisor", "virtual_machine", "switch", "router", "firewall", "load_balancer", "pod", "workload", "k8s_cluster"}
	var found []string
	for _, key := range w.order {
		if !slices.Contains(classes, w.cis[key].Class) {
			continue
		}
		states := w.states(key)
		if slices.ContainsFunc(tierOne, func(s string) bool { return states[s] == impact.Down }) {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	want := []string{"hv-rtm-05", "rtr-utrecht", "srv-rtm-05", "sw-utrecht", "vm-orders-db-1"}
	if !slices.Equal(found, want) {
		t.Errorf("%v, want %v", found, want)
	}
}

func TestTheIncidentsLeaveTheEstateMostlyGreen(t *testing.T) {
	w := build(t)
	records, err := demo.Records()
	if err != nil {
		t.Fatal(err)
	}
	var failed []string
	for _, i := range records.Incidents {
		for _, c := range i.CIs {
			if c.Role == domain.RootRole {
				failed = append(failed, c.ID)
			}
		}
	}
	states := w.states(failed...)
	for key, want := range map[string]impact.State{
		"recommendations": impact.Down, "storefront": impact.Degraded, "online-shop": impact.Degraded, "store-locator": impact.Degraded,
		"sw-ham-leaf-1": impact.AtRisk, "checkout": impact.Operational, "orders-db-primary": impact.Operational, "k8s-ham": impact.Operational,
	} {
		if states[key] != want {
			t.Errorf("%s is %s, want %s", key, states[key], want)
		}
	}
	if n := len(states); n < 8 || n > 20 {
		t.Errorf("%d CIs are not OPERATIONAL: %v", n, states)
	}
	for key, i := range records.Incidents {
		for _, c := range i.CIs {
			if states[c.ID] < impact.Degraded {
				t.Errorf("%s names %s, which is %s", key, c.ID, states[c.ID])
			}
		}
	}
}

func TestThePlannedHarmlessChangeIsNotHarmless(t *testing.T) {
	w := build(t)
	records, err := demo.Records()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]impact.State{"ups-inverter": impact.Down, "node-patch": impact.Operational, "core-firmware": impact.Operational} {
		var failed []string
		for _, c := range records.Changes[key].CIs {
			if c.Role == domain.TakenDownRole {
				failed = append(failed, c.ID)
			}
		}
		if got := w.states(failed...)["payments"]; got != want || len(failed) == 0 {
			t.Errorf("%s: payments is %s, want %s", key, got, want)
		}
	}
}

func TestTheDatabaseThatHasFailedIsWhyCheckoutSuffers(t *testing.T) {
	w := build(t)
	open, err := w.snapshot.With(topology.Batch{Incidents: []topology.Incident{{ID: ident.New(ident.Incident, 1), Root: []ident.ID{w.ids["orders-db-primary"]}}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		on      *topology.Snapshot
		onFacts bool
		want    bool
	}{"it is known": {open, true, true}, "nothing is known": {w.snapshot, true, false}, "nobody asks what is known": {open, false, false}} {
		a, err := impact.RootCauses(t.Context(), c.on, impact.Symptoms{Seen: []impact.Symptom{{CI: w.ids["checkout"], State: impact.Degraded}}}, impact.RootCauseOptions{OnFacts: c.onFacts})
		if err != nil || len(a.Candidates) == 0 {
			t.Fatal(a, err)
		}
		first := a.Candidates[0]
		t.Logf("%s: %s first, with a share of %.2f, of %d", name, w.keys[first.Failures[0]], first.Share, len(a.Candidates))
		if got := w.keys[first.Failures[0]] == "orders-db-primary"; got != c.want || first.Known[0].IsKnown != c.want {
			t.Errorf("%s: got %+v", name, first)
		}
	}
}
