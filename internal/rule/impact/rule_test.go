package impact_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// TestEachRule holds the rules of docs/impact.md, one by one.
func TestEachRule(t *testing.T) {
	for _, c := range []struct{ rule, estate, fails, follows string }{
		{"a HARD dependency that is DOWN brings DOWN", "app needs db", "db DOWN", "app DOWN"},
		{"a HARD dependency that is DEGRADED brings DEGRADED", "app needs db", "db DEGRADED", "app DEGRADED"},
		{"a SOFT dependency that is DOWN brings DEGRADED, no more", "svc needs app, app needs log softly", "log DOWN", "app DEGRADED, svc DEGRADED"},
		{"a SOFT dependency that is DEGRADED changes nothing", "app needs log softly", "log DEGRADED", ""},
		{"impact flows one way only", "app needs db", "app DOWN", ""},
		{"the worse of two wins", "app needs db, app needs log softly", "db DOWN, log DOWN", "app DOWN"},
		{"the worse of two parallel edges wins", "app needs db softly, app needs db", "db DOWN", "app DOWN"},
		{"a CI given as DEGRADED can fall", "app needs db, svc needs app", "app DEGRADED, db DOWN", "svc DOWN"},
		{"the worse of two failures of one CI holds", "app needs db", "db DOWN, db DEGRADED", "app DOWN"},
		{"ALL: one member lost is too many", "app needs all of a b", "a DOWN", "app DOWN"},
		{"ALL: one member weak is too many to be well", "app needs all of a b", "a DEGRADED", "app DEGRADED"},
		{"ANY: one member is enough, redundancy is lost", "app needs any of a b", "a DOWN", "app AT_RISK"},
		{"ANY: none is too few", "app needs any of a b", "a DOWN, b DOWN", "app DOWN"},
		{"enough up but not enough well", "app needs any of a b", "a DOWN, b DEGRADED", "app DEGRADED"},
		{"one weak member is a risk", "app needs any of a b", "a DEGRADED", "app AT_RISK"},
		{"AT_LEAST 2 of 3 bears one loss", "app needs 2 of a b c", "a DOWN", "app AT_RISK"},
		{"AT_LEAST 2 of 3 does not bear two", "app needs 2 of a b c", "a DOWN, b DOWN", "app DOWN"},
		{"AT_LEAST 2 of 3 with one lost and one weak", "app needs 2 of a b c", "a DOWN, b DEGRADED", "app DEGRADED"},
		{"PERCENT rounds up", "app needs 50% of a b c", "a DOWN, b DOWN", "app DOWN"},
		{"PERCENT bears the rest", "app needs 50% of a b c", "a DOWN", "app AT_RISK"},
		{"WEIGHTED compares weight: the heavy one matters", "app needs weight 3 of a*3 b c", "a DOWN", "app DOWN"},
		{"WEIGHTED compares weight: the light ones do not", "app needs weight 3 of a*3 b c", "b DOWN, c DOWN", "app AT_RISK"},
		{"a weight left out is 1", "app needs weight 2 of a b c", "a DOWN", "app AT_RISK"},
		{"AT_RISK by a loss that can be borne does not spread, not by HARD", "svc needs app, app needs any of a b c", "a DOWN", "app AT_RISK"},
		{"AT_RISK does not spread by groups that can spare it", "svc needs any of app x, app needs any of a b", "a DOWN", "app AT_RISK"},
		{"a retired member is never up", "app needs any of a b, b retired", "a DOWN", "app DOWN"},
		{"a retired member is less redundancy, not lost redundancy", "app needs any of a b c, c retired", "a DOWN", "app AT_RISK"},
		{"a planned member is never up", "app needs any of a b, b planned", "a DOWN", "app DOWN"},
		{"a group whose members are all planned needs none of them", "app needs any of a b, app needs x, a planned, b planned", "x DOWN", "app DOWN"},
		{"a planned CI passes nothing on", "svc needs app, app needs db, app planned", "db DOWN", ""},
		{"a planned CI that is named fails nobody", "svc needs app, app needs db, app planned", "app DOWN", ""},
		{"a retired CI passes nothing on", "svc needs app softly, app needs db, app retired", "db DOWN", ""},
		{"what is broken by itself is no impact of a failure", "svc needs app, app needs db, app needs x, db retired", "x DOWN", ""},
		{"a CI that is broken by itself counts as well without its failure", "svc needs app, app needs db, db retired", "app DOWN", "svc DOWN"},
		{"what is broken by itself and what fails break together", "svc needs any of a b, a needs old, old retired", "b DOWN", "svc DOWN"},
		{"an excluded CI stays operational and passes nothing on", "svc needs app, app needs db", "db DOWN, app excluded", ""},
		{"exclusion outweighs failure", "app needs db", "db DOWN, db excluded", ""},
		{"an excluded member still holds its group", "app needs any of a b, a needs x, b needs x", "x DOWN, b excluded", "a DOWN, app AT_RISK"},
		{"a cycle falls once pushed", "a needs b, b needs c, c needs a", "a DOWN", "b DOWN, c DOWN"},
		{"a cycle does not push itself", "a needs a, b needs c, c needs b, x needs y", "y DOWN", "x DOWN"},
		{"two groups: the broken one decides", "app needs any of a b, app needs any of c d", "a DOWN, c DOWN, d DOWN", "app DOWN"},
		{"one CI twice in a group is two members", "app needs 2 of a a b", "a DOWN", "app DOWN"},
		{"two that need any of each other and of a third hold each other up", "a needs any of b x, b needs any of a x", "x DOWN", "a AT_RISK, b AT_RISK"},
		{"a diamond is hit once", "svc needs a, svc needs b, a needs x, b needs x", "x DOWN", "a DOWN, b DOWN, svc DOWN"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			k, s := draw(t, c.estate)
			a, err := impact.Of(t.Context(), s, k.question(c.fails))
			if err != nil {
				t.Fatal(err)
			}
			if got := k.told(a); got != c.follows {
				t.Errorf("%s; %s: got %q, want %q", c.estate, c.fails, got, c.follows)
			}
		})
	}
}

// TestEachThreshold checks what a group needs by the stages of its members, and what is broken by itself.
func TestEachThreshold(t *testing.T) {
	for _, c := range []struct {
		rule, estate string
		need         int
		broken       string
	}{
		{"ALL needs the retired too", "app needs all of a b, b retired", 2, "app DOWN"},
		{"ALL does not wait for the planned", "app needs all of a b, b planned", 1, ""},
		{"PERCENT is of those in service and the retired", "app needs 50% of a b c d, c retired, d planned", 2, ""},
		{"PERCENT falls by retirements alone", "app needs 50% of a b c, b retired, c retired", 2, "app DOWN"},
		{"ANY needs one", "app needs any of a b", 1, ""},
		{"ANY of one that is live and one that is planned needs one", "app needs any of a b, b planned", 1, ""},
		{"ANY of the planned needs none", "app needs any of a b, a planned, b planned", 0, ""},
		{"ANY of the retired needs one", "app needs any of a b, a retired, b retired", 1, "app DOWN"},
		{"ANY of one that is planned and one that is retired needs one", "app needs any of a b, a planned, b retired", 1, "app DOWN"},
		{"AT_LEAST 2 of three of which two retired needs two", "app needs 2 of a b c, b retired, c retired", 2, "app DOWN"},
		{"AT_LEAST 2 of one that is live and one that is planned needs one", "app needs 2 of a b, b planned", 1, ""},
		{"AT_LEAST 2 of one that is left needs two", "app needs 2 of a", 2, "app DOWN"},
		{"AT_LEAST 3 of one that is live and one that is planned needs two", "app needs 3 of a b, b planned", 2, "app DOWN"},
		{"WEIGHTED counts weight that is planned", "app needs weight 5 of a*3 b*2, b planned", 3, ""},
		{"WEIGHTED counts weight that retired", "app needs weight 4 of a*3 b*2, b retired", 4, "app DOWN"},
		{"a HARD need of a retired CI outside of groups is not met", "svc needs app, app needs db, db retired", -1, "app DOWN, svc DOWN"},
		{"a SOFT need of a retired CI is nothing", "app needs db softly, db retired", -1, ""},
		{"a HARD need of a planned CI is nothing", "app needs db, db planned", -1, ""},
		{"a planned CI is not broken by itself", "app needs db, app planned, db retired", -1, ""},
		{"one that is excluded is not broken by itself", "svc needs app, app needs db, db retired, app excluded", -1, ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			k, s := draw(t, c.estate)
			if got := int(s.Counter(1).Need); c.need >= 0 && got != c.need {
				t.Errorf("%s: needs %d, want %d", c.estate, got, c.need)
			}
			if got := k.told(impact.Estate(s)); got != c.broken {
				t.Errorf("%s: got %q, want %q", c.estate, got, c.broken)
			}
		})
	}
}

func TestSinglePointsNameTheMemberThatIsLive(t *testing.T) {
	k, s := draw(t, "svc needs any of a b, b planned, svcb needs app, app needs db, db retired, app needs x")
	got, err := impact.SinglePoints(t.Context(), s, impact.Targets{AllServices: true}, impact.SinglePointLimits{})
	if err != nil || got.Total != 1 || got.Targets != 1 || got.Points[0].CI != k.names["a"] {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAProofEndsAtWhatIsBrokenByItself(t *testing.T) {
	k, s := draw(t, "svc needs app, app needs db, db retired, web needs 2 of n1 n2 n3, n2 retired, n3 retired")
	a := impact.Estate(s)
	p, _ := a.Proof(k.names["svc"])
	if e := p.Explanations[1]; len(p.Explanations) != 2 || e.Ground != impact.HardDependency || e.Cause != k.names["db"] || e.Distance != 0 || p.Explanations[0].Distance != 1 {
		t.Errorf("got %+v", p)
	}
	p, _ = a.Proof(k.names["web"])
	e := p.Explanations[0]
	if e.Ground != impact.BrokenGroup || e.Group.Need != 2 || e.Group.Total != 3 || e.Group.Up != 1 || len(e.Group.Members) != 3 || !e.Group.Members[2].IsRetired {
		t.Errorf("got %+v", e.Group)
	}
}

func TestDistanceCountsOnlyArcsThatCarry(t *testing.T) {
	// The soft short cut does not carry, since log is only DEGRADED: the way goes round.
	k, s := draw(t, "log needs x softly, app needs log softly, app needs m, m needs n, n needs x")
	a, err := impact.Of(t.Context(), s, k.question("x DOWN"))
	if err != nil {
		t.Fatal(err)
	}
	if h, _ := a.Hit(k.names["app"]); h.State != impact.Down || h.Distance != 3 {
		t.Errorf("got %+v", h)
	}
}

func TestAGroupThatHoldsCarriesNothing(t *testing.T) {
	// Past a the way is shorter, but the group of a and b is not broken: app fell because of m.
	k, s := draw(t, "app needs any of a b, a needs x, app needs m, m needs n, n needs x")
	a, err := impact.Of(t.Context(), s, k.question("x DOWN"))
	if err != nil {
		t.Fatal(err)
	}
	if path := a.Path(k.names["app"]); len(path) != 3 || path[2].From != k.names["m"] {
		t.Errorf("got %+v", path)
	}
}

func TestAProofDoesNotGoInCircles(t *testing.T) {
	// w is a HARD dependency of v and DOWN, but it fell after v and because of it: the group is the reason.
	k, s := draw(t, "v needs all of x, v needs w, w needs v")
	a, err := impact.Of(t.Context(), s, k.question("x DOWN"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	p, _ := a.Proof(k.names["w"])
	for _, e := range p.Explanations {
		got = append(got, e.CI.String()+" "+e.Ground.String())
	}
	if want := []string{"ci_3 HARD", "ci_1 GROUP", "ci_2 FAILED"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDepthHidesWhatIsFarAndTellsTheTruthOfWhatIsNear(t *testing.T) {
	// One member is near, the other far: seen from afar it breaks the group two hops from x.
	k, s := draw(t, "app needs any of a b, a needs x, b needs c, c needs d, d needs x, svc needs app")
	q := k.question("x DOWN")
	q.MaxDepth = 2
	a, err := impact.Of(t.Context(), s, q)
	if err != nil {
		t.Fatal(err)
	}
	if got := k.told(a); got != "a DOWN, app DOWN, c DOWN, d DOWN" {
		t.Errorf("got %s", got)
	}
	if want := (impact.Completeness{IsPartial: true, Reason: impact.MaxDepth, Explored: 7}); a.Completeness != want {
		t.Errorf("got %+v, want %+v", a.Completeness, want)
	}
}

func TestABudgetKeepsWhatFailedAsSuch(t *testing.T) {
	k, s := draw(t, "a needs x, b needs x, w needs x")
	q := k.question("x DOWN, w DEGRADED")
	q.MaxCIs = 1
	a, err := impact.Of(t.Context(), s, q)
	if err != nil {
		t.Fatal(err)
	}
	if got := k.told(a); got != "a DOWN" || a.Completeness.Reason != impact.MaxCIs {
		t.Errorf("got %s, %+v", got, a.Completeness)
	}
	if h, _ := a.Hit(k.names["w"]); !h.IsRoot || h.State != impact.Down || h.Distance != 0 {
		t.Errorf("got %+v", h)
	}
}

func TestUnknownRecordsAreNamed(t *testing.T) {
	k, s := draw(t, "app needs db")
	unknown, known := ident.New(ident.CI, 77), k.names["db"]
	for what, err := range map[string]error{
		"failed":   second(impact.Of(t.Context(), s, impact.Question{Failed: []impact.Failure{{CI: unknown, State: impact.Down}}})),
		"excluded": second(impact.Of(t.Context(), s, impact.Question{Excluded: []ident.ID{unknown}})),
		"cis":      second(impact.Dependencies(t.Context(), s, []ident.ID{unknown}, impact.Limits{})),
		"from":     second(impact.ShortestPath(t.Context(), s, unknown, known)),
		"to":       second(impact.ShortestPath(t.Context(), s, known, unknown)),
	} {
		if errs.CodeOf(err) != errs.NotFound || !strings.Contains(err.Error(), "ci_25") || !strings.HasPrefix(err.Error(), what) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	_, err := impact.Of(t.Context(), s, impact.Question{Failed: []impact.Failure{{CI: known, State: impact.AtRisk}}})
	if errs.CodeOf(err) != errs.Invalid {
		t.Errorf("AT_RISK as a failure: got %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestADeadlineMakesAPartAndACancelledCallerAnError(t *testing.T) {
	k, s := draw(t, "app needs db, svc needs app, app needs log softly")
	q := k.question("db DOWN, log DEGRADED")
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	a, err := impact.Of(late, s, q)
	if err != nil || a.Completeness.Reason != impact.Time || !a.Completeness.IsPartial || a.State(k.names["log"]) != impact.Degraded {
		t.Errorf("got %+v, %v", a, err)
	}
	n, err := impact.Dependencies(late, s, []ident.ID{k.names["svc"]}, impact.Limits{})
	if err != nil || n.Completeness.Reason != impact.Time {
		t.Errorf("got %+v, %v", n, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := impact.Of(gone, s, q); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := impact.ShortestPath(gone, s, k.names["db"], k.names["svc"]); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestARootOutweighsAnExclusionInTheEstate(t *testing.T) {
	k, s := draw(t, "app needs db, svc needs app, web needs lb, db open, db excluded, app excluded, lb open, old open, old retired")
	if got := k.told(impact.Estate(s)); got != "web DOWN" {
		t.Errorf("got %s", got)
	}
	for name, want := range map[string]impact.State{"db": impact.Down, "app": impact.Operational, "old": impact.Operational} {
		if got := impact.StateOf(s, k.names[name]); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if once, again := impact.Estate(s), impact.Estate(s); once != again {
		t.Error("worked out twice")
	}
}

func TestServicesAreListedFirst(t *testing.T) {
	k, s := draw(t, "app needs db, svc needs app, web needs svc softly")
	a, err := impact.Of(t.Context(), s, k.question("db DOWN"))
	if err != nil {
		t.Fatal(err)
	}
	var got []ident.ID
	for _, h := range a.Affected(impact.Filter{WithoutRoots: true}) {
		got = append(got, h.CI)
	}
	if want := []ident.ID{k.names["svc"], k.names["app"], k.names["web"]}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if c := a.Counts(impact.Filter{Keep: func(ci topology.CI) bool { return ci.IsService }}); c.Total != 1 || c.Services != 1 {
		t.Errorf("got %+v", c)
	}
}
