package backup_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/audit"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/backup"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// Test15AnErasedPersonIsInNoTable erases an account that has opened an incident, drafted a change and commented on
// both.
func Test15AnErasedPersonIsInNoTable(t *testing.T) {
	estates(t, func(t *testing.T, a *app.App, address string, _ func() string) {
		keys, err := secret.ReadOrMake(filepath.Join(t.TempDir(), "root.key"))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Trust(keys); err != nil {
			t.Fatal(err)
		}
		ctx := auth.With(t.Context(), auth.Command("root"))
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		const name, email = "Zenobia Quux", "zenobia@quux.example"
		person, err := a.Catalog.CreatePerson(ctx, catalog.CreatePerson{Name: name, Email: new(email)})
		ok(err)
		made, err := a.Identity.Invite(ctx, identity.InviteAccount{Name: new(name), Email: new(email), Person: &person.ID, Roles: []auth.Role{auth.Operator, auth.ChangeManager}})
		ok(err)
		of := made.Record.ID
		she := auth.With(t.Context(), auth.Actor{Account: &of, Person: &person.ID, Name: name, Roles: []auth.Role{auth.Operator, auth.ChangeManager}, Via: domain.ViaSession})
		opened, err := a.Incident.Open(she, incident.Open{Title: "The shop is slow", ImpactLevel: new(2), Urgency: new(2)})
		ok(err)
		_, err = a.Incident.Comment(she, incident.Comment{ID: opened.ID, Kind: domain.Comment, Body: "Slow for everybody"})
		ok(err)
		drafted, err := a.Change.Draft(she, change.Draft{Title: "Make it fast", Type: domain.Normal})
		ok(err)
		_, err = a.Change.Comment(she, change.Comment{ID: drafted.ID, Kind: domain.Comment, Body: "Twice as fast"})
		ok(err)
		told := func() (where []string) {
			for _, line := range storetest.Dump(t, a.Store) {
				if lower := strings.ToLower(line); strings.Contains(lower, "zenobia") || strings.Contains(lower, "quux") {
					where = append(where, line)
				}
			}
			return where
		}
		if len(told()) < 10 {
			t.Fatalf("she is known by %q alone", told())
		}
		if _, err := a.Identity.Erase(she, identity.EraseAccount{ID: of, Reason: "asked for it"}); errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("she erases: %v", err)
		}
		if _, err := a.Identity.Erase(ctx, identity.EraseAccount{ID: of}); errs.CodeOf(err) != errs.Required && errs.CodeOf(err) != errs.Invalid {
			t.Errorf("without a reason: %v", err)
		}
		for range 2 { // the second one finds nothing to do
			erased, err := a.Identity.Erase(ctx, identity.EraseAccount{ID: of, Reason: "asked for it"})
			ok(err)
			if erased.State != domain.AccountErased {
				t.Errorf("the account is %s", erased.State)
			}
		}
		if where := told(); len(where) > 0 {
			t.Errorf("she is still told of:\n%s", strings.Join(where, "\n"))
		}
		whole := func() audit.Report {
			t.Helper()
			from, err := a.Store.Snapshot(t.Context(), 1)
			ok(err)
			defer from.Close()
			r, err := audit.Verify(t.Context(), from, audit.Keys{})
			ok(err)
			return r
		}
		if r := whole(); r.Fault != nil || r.Redacted < 6 {
			t.Errorf("%+v, %v", r, r.Fault)
		}
		if r, err := backup.Verify(t.Context(), address, nil); err != nil || len(r.Faults) > 0 {
			t.Errorf("%v: %v", err, r.Faults)
		}
		head, err := a.Store.Revision(t.Context())
		ok(err)
		from, err := a.Store.Snapshot(t.Context(), 1)
		ok(err)
		var export bytes.Buffer
		_, err = audit.Export(t.Context(), from, head+1, &export)
		from.Close()
		ok(err)
		if r, err := audit.VerifyExport(&export); err != nil || r.Fault != nil {
			t.Errorf("an export: %v, %v", err, r.Fault)
		}
		change := func(statement string) {
			t.Helper()
			if _, err := a.Store.Writer().ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		const one = " WHERE id = (SELECT max(id) FROM entry WHERE verb = 'incident.open' AND actor = 'erased')"
		change("UPDATE entry SET salt = digest" + one)
		if r := whole(); r.Fault == nil {
			t.Error("another content in the place of what was erased is not seen")
		}
	})
}
