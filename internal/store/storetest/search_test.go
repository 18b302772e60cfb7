package storetest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// shop writes what searches look for: records of all kinds, whose names and texts share words.
func shop(t *testing.T, s *store.Store) {
	write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
		var all error
		for _, c := range []struct{ name, description string }{
			{"checkout-api", "Takes orders"},
			{"checkout-db", "PostgreSQL of Checkout"},
			{"precheckout", ""},
			{"payment-gateway-1", ""},
			{"payment-gateway-2", "behind the checkout"},
			{"host-0007.example.com", ""},
			{"redis-cache", "sessions"},
			{"kubernetes-prod", "cluster"},
			{"Größe-01", ""},
			{"Москва-db", ""},
			{"outlet-sensor", "router of the shop"},
			{"web shop", ""},
			{"webshop", ""},
		} {
			_, err := ci(c.name, func(made *ent.CICreate) { made.SetDescription(c.description) })(ctx, tx)
			all = errors.Join(all, err)
		}
		for _, name := range []string{"Checkout", "Payments", "Web Shop"} {
			_, err := ci(name, func(made *ent.CICreate) { made.SetServiceKind(domain.ApplicationService) })(ctx, tx)
			all = errors.Join(all, err)
		}
		_, err := ci("Checkout of old", func(made *ent.CICreate) { made.SetLifecycle(domain.Retired) })(ctx, tx)
		for _, title := range []string{"Checkout is slow", "chekout times out", "No payments since noon"} {
			all = errors.Join(all, err, tx.Incident.Create().SetTitle(title).SetDescription("seen in the shop").SetImpact(1).SetUrgency(1).SetPriority(1).SetOpenedBy("test").
				SetDetectedAt(tx.Now).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx))
		}
		for _, title := range []string{"Upgrade PostgreSQL of Checkout", "Replace host-0007"} {
			all = errors.Join(all, tx.Change.Create().SetTitle(title).SetType(domain.Normal).SetRequestedBy("test").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx))
		}
		for _, name := range []string{"Checkout team", "Platform"} {
			all = errors.Join(all, tx.Team.Create().SetName(name).SetDescription("answers for things").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx))
		}
		for _, name := range []string{"Ada Lovelace", "Grace Hopper"} {
			first, _, _ := strings.Cut(strings.ToLower(name), " ")
			all = errors.Join(all, tx.Person.Create().SetName(name).SetEmail(first+"@shop.example").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx))
		}
		return nil, all
	})
}

// records returns what a search of all kinds finds, in its order.
func records(t *testing.T, s *store.Store, query string, types ...read.SearchType) []string {
	t.Helper()
	first := page.Max
	found, err := reader(s).SearchRecords(t.Context(), query, types, nil, &first, nil)
	if err != nil {
		t.Fatalf("searching %q: %v", query, err)
	}
	all := []string{}
	for _, e := range found.Edges {
		switch r := e.Node.(type) {
		case *read.CI:
			all = append(all, "CI "+r.Name)
		case *read.Service:
			all = append(all, "service "+r.Name)
		case *read.Incident:
			all = append(all, "incident "+r.Title)
		case *read.Change:
			all = append(all, "change "+r.Title)
		case *read.Team:
			all = append(all, "team "+r.Name)
		case *read.Person:
			all = append(all, "person "+r.Name)
		}
	}
	return all
}

// TestSearchesHaveOneOrder checks that what 25 searches find, and in which order, is the same on both databases.
func TestSearchesHaveOneOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		shop(t, s)
		for _, c := range []struct {
			query string
			found []string
		}{
			{"checkout", []string{"service Checkout", "CI checkout-db", "CI checkout-api", "team Checkout team", "incident Checkout is slow", "change Upgrade PostgreSQL of Checkout", "incident chekout times out", "CI precheckout", "CI payment-gateway-2"}},
			{"chekout", []string{"incident chekout times out", "service Checkout", "CI checkout-db", "CI checkout-api", "team Checkout team", "incident Checkout is slow", "change Upgrade PostgreSQL of Checkout"}},
			{"kout", []string{"service Checkout", "CI checkout-db", "CI precheckout", "CI checkout-api", "team Checkout team", "incident Checkout is slow", "incident chekout times out", "change Upgrade PostgreSQL of Checkout"}},
			{"check", []string{"service Checkout", "CI checkout-db", "CI checkout-api", "team Checkout team", "incident Checkout is slow", "change Upgrade PostgreSQL of Checkout", "CI precheckout", "incident chekout times out", "CI payment-gateway-2"}},
			{"CHECKOUT SLOW", []string{"incident Checkout is slow"}},
			{"payment", []string{"CI payment-gateway-1", "CI payment-gateway-2", "service Payments", "incident No payments since noon"}},
			{"paymnet gateway", []string{"CI payment-gateway-1", "CI payment-gateway-2"}},
			{"pyaments", []string{"service Payments", "incident No payments since noon"}},
			{"gatway", []string{"CI payment-gateway-1", "CI payment-gateway-2"}},
			{"0007", []string{"change Replace host-0007", "CI host-0007.example.com"}},
			{"host 0007", []string{"CI host-0007.example.com", "change Replace host-0007"}},
			{"hots-0007", []string{}},
			{"reids", []string{"CI redis-cache"}},
			{"kuberntees", []string{"CI kubernetes-prod"}},
			{"größe", []string{"CI Größe-01"}},
			{"москва", []string{"CI Москва-db"}},
			{"мсоква", []string{"CI Москва-db"}},
			{"web shop", []string{"service Web Shop", "CI web shop", "CI webshop"}},
			{"webshop", []string{"CI webshop"}},
			{"shop", []string{"service Web Shop", "CI web shop", "CI webshop", "person Ada Lovelace", "person Grace Hopper", "CI outlet-sensor", "incident Checkout is slow", "incident chekout times out", "incident No payments since noon"}},
			{"INC0000002", []string{"incident chekout times out"}},
			{"chg0000001", []string{"change Upgrade PostgreSQL of Checkout"}},
			{"lovelace", []string{"person Ada Lovelace"}},
			{"grace shop", []string{"person Grace Hopper"}},
			{"plaftorm", []string{"team Platform"}},
			{"nothing of all this", []string{}},
		} {
			if got := records(t, s, c.query); !slices.Equal(got, c.found) {
				t.Errorf("%q finds\n%q, not\n%q", c.query, got, c.found)
			}
		}
		if got := records(t, s, "checkout", "TEAM", "CHANGE"); !slices.Equal(got, []string{"team Checkout team", "change Upgrade PostgreSQL of Checkout"}) {
			t.Errorf("teams and changes alone: %q", got)
		}
		if got := records(t, s, "checkout", "CI"); !slices.Equal(got, []string{"CI checkout-db", "CI checkout-api", "CI precheckout", "CI payment-gateway-2"}) {
			t.Errorf("CIs that are no services: %q", got)
		}
		found, err := reader(s).Search(t.Context(), "checkout", []string{"server"}, nil, nil)
		if err != nil || len(found.Edges) != 5 || found.Edges[0].Node.Name != "Checkout" {
			t.Errorf("within a class: %v, %v", found, err)
		}
		if _, err := reader(s).SearchRecords(t.Context(), "checkout", nil, []string{"servr"}, nil, nil); errs.CodeOf(err) != errs.BadUserInput || !strings.Contains(err.Error(), "server") {
			t.Errorf("within a class that does not exist: %v", err)
		}
	})
}
