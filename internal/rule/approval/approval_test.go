package approval

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

func TestAPolicyAppliesByTypeAndRisk(t *testing.T) {
	at := func(n int) *int { return &n }
	normal := []domain.ChangeType{domain.Normal}
	for _, c := range []struct {
		name   string
		policy Policy
		of     domain.ChangeType
		risk   int
		want   bool
	}{
		{"to all that need approval", Policy{}, domain.Normal, 0, true},
		{"never to a STANDARD change", Policy{}, domain.Standard, 100, false},
		{"never to a STANDARD change that it names", Policy{Types: []domain.ChangeType{domain.Standard}}, domain.Standard, 0, false},
		{"to its types", Policy{Types: normal}, domain.Normal, 0, true},
		{"to no others", Policy{Types: normal}, domain.Emergency, 0, false},
		{"above its risk", Policy{RiskAbove: at(60)}, domain.Normal, 61, true},
		{"not at its risk", Policy{RiskAbove: at(60)}, domain.Normal, 60, false},
		{"by both at once", Policy{Types: normal, RiskAbove: at(60)}, domain.Emergency, 90, false},
	} {
		if got := c.policy.AppliesTo(c.of, c.risk); got != c.want {
			t.Errorf("it applies %s: got %t", c.name, got)
		}
	}
}

func TestVotesCountByTeamAndRoleAndOnceEach(t *testing.T) {
	board, other := ident.New(ident.Team, 1), ident.New(ident.Team, 2)
	ann, bob := ident.New(ident.Account, 1), ident.New(ident.Account, 2)
	votes := []Vote{
		{ann, domain.Approved, []ident.ID{board, other}, []string{"VIEWER", "CHANGE_MANAGER"}},
		{ann, domain.Approved, []ident.ID{board}, nil},
		{bob, domain.Approved, []ident.ID{other}, []string{"VIEWER", "ADMIN"}},
		{ident.New(ident.Account, 3), domain.Rejected, []ident.ID{board}, []string{"ADMIN"}},
		{ident.New(ident.Account, 4), domain.Voided, []ident.ID{board}, []string{"ADMIN"}},
		{ident.New(ident.Account, 5), domain.Requested, nil, nil},
	}
	for _, c := range []struct {
		policy Policy
		want   int
	}{
		{Somebody, 2}, {Policy{Team: board}, 1}, {Policy{Team: other}, 2}, {Policy{Role: "ADMIN"}, 1}, {Policy{Team: board, Role: "ADMIN"}, 0},
	} {
		if got := c.policy.Given(votes); got != c.want {
			t.Errorf("%+v: %d votes count, want %d", c.policy, got, c.want)
		}
	}
}

func TestAVoteThatIsTakenBackNeverHelps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		team := rapid.Map(rapid.Int64Range(1, 3), func(n int64) ident.ID { return ident.New(ident.Team, n) })
		role := rapid.SampledFrom([]string{"VIEWER", "CHANGE_MANAGER", "ADMIN"})
		votes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Vote {
			return Vote{
				ident.New(ident.Account, rapid.Int64Range(1, 3).Draw(t, "approver")),
				rapid.SampledFrom([]domain.Decision{domain.Requested, domain.Approved, domain.Rejected, domain.Voided}).Draw(t, "decision"),
				rapid.SliceOf(team).Draw(t, "teams"), rapid.SliceOf(role).Draw(t, "roles"),
			}
		}), 1, 8).Draw(t, "votes")
		p := Policy{Team: rapid.OneOf(team, rapid.Just(ident.ID(0))).Draw(t, "team"), Role: rapid.OneOf(role, rapid.Just("")).Draw(t, "role")}
		before := p.Given(votes)
		if any := Somebody.Given(votes); before > any {
			t.Fatalf("%d count for a team or role, %d at all", before, any)
		}
		votes[rapid.IntRange(0, len(votes)-1).Draw(t, "which")].Decision = domain.Voided
		if after := p.Given(votes); after > before || after < before-1 {
			t.Fatalf("%d before, %d after", before, after)
		}
	})
}
