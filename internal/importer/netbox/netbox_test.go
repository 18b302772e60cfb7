package netbox

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/fixture"
)

type result struct {
	rows    []importer.Row
	notices []importer.Notice
	err     error
}

func (r result) texts() (all []string) {
	for _, n := range r.notices {
		n.Origin.File = filepath.Base(n.Origin.File)
		all = append(all, n.Error())
	}
	return all
}

func (r result) ci(t testing.TB, key string) *importer.CI {
	t.Helper()
	for _, row := range r.rows {
		if row.CI.ExternalID == key {
			return row.CI
		}
	}
	t.Fatalf("no row %q", key)
	return nil
}

func collect(t testing.TB, o Options, paths ...string) (r result) {
	t.Helper()
	for row, err := range New(paths, o).Rows(t.Context()) {
		var n *importer.Notice
		switch {
		case errors.As(err, &n):
			r.notices = append(r.notices, *n)
		case err != nil:
			r.err = err
		default:
			r.rows = append(r.rows, row)
		}
	}
	return r
}

func from(t testing.TB, o Options, contents ...string) result {
	t.Helper()
	dir := t.TempDir()
	for i, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return collect(t, o, dir)
}

func TestTheDemoOfNetBoxIsReadAsSOURCESSays(t *testing.T) {
	file := filepath.Join(fixture.Dir(t), "netbox", "netbox-demo-v3.6.subset.json")
	for _, panels := range []bool{false, true} {
		r := collect(t, Options{PatchPanels: panels}, file)
		models, names, classes, kinds := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
		fed, feeding, clusters := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, row := range r.rows {
			model, _, _ := strings.Cut(row.CI.ExternalID, ":")
			models[model]++
			classes[row.CI.Class]++
			names[row.CI.Name]++
			for _, rel := range row.CI.Relationships {
				kinds[rel.Type]++
				switch rel.Type {
				case "powered_by":
					fed[row.CI.ExternalID], feeding[rel.Target] = true, true
				case "runs_on":
					clusters[rel.Target] = true
				}
			}
			if row.Origin.Line < 1 || row.CI.Name == "" {
				t.Errorf("%+v", row)
			}
		}
		want := map[string]int{"dcim.site": 24, "dcim.location": 4, "dcim.rack": 42, "dcim.device": 53, "virtualization.cluster": 32, "virtualization.virtualmachine": 180}
		if panels {
			want["dcim.device"] = 72
		}
		if diff := cmp.Diff(want, models); diff != "" {
			t.Error(diff)
		}
		if kinds["runs_on"] != 180 || len(clusters) != 9 || len(fed) != 26 || len(feeding) != 13 {
			t.Errorf("%d machines run on %d clusters, %d devices are fed by %d", kinds["runs_on"], len(clusters), len(fed), len(feeding))
		}
		if pairs := map[bool]int{false: 13, true: 13 + 9}[panels]; kinds["connects_to"] != pairs {
			t.Errorf("%d pairs are connected, not %d", kinds["connects_to"], pairs)
		}
		if classes["router"] != 13 || classes["switch"] != 26 || classes["pdu"] != 13 || classes["server"] != 1 {
			t.Errorf("%v", classes)
		}
		if names["Comms closet"] != 13 {
			t.Errorf("%d closets", names["Comms closet"])
		}
		if !panels {
			continue
		}
		if names["PP:MDF"] != 3 {
			t.Errorf("%d panels PP:MDF", names["PP:MDF"])
		}
		nameless := 0
		for name, n := range names {
			if strings.Contains(name, "/") || strings.Contains(name, " #") {
				nameless += n
				if n > 1 {
					t.Errorf("%d devices are called %q", n, name)
				}
			}
		}
		if nameless < 22 {
			t.Errorf("%d devices without a name of their own", nameless)
		}
	}
}

const room = `
{"model": "dcim.site", "pk": 1, "fields": {"name": "AMS", "status": "planned", "physical_address": "Main Street 1"}},
{"model": "dcim.location", "pk": 1, "fields": {"name": "Row 1", "site": 1, "parent": null}},
{"model": "dcim.rack", "pk": 1, "fields": {"name": "R1", "site": 1, "location": 1, "u_height": 42}},
{"model": "dcim.manufacturer", "pk": 1, "fields": {"name": "Dell"}},
{"model": "dcim.devicetype", "pk": 1, "fields": {"model": "R640", "manufacturer": 1}},
{"model": "dcim.devicerole", "pk": 1, "fields": {"name": "Application Server", "slug": "application-server"}},
{"model": "dcim.devicerole", "pk": 2, "fields": {"name": "PDU", "slug": "pdu"}},
{"model": "dcim.devicerole", "pk": 3, "fields": {"name": "Patch Panel", "slug": "patch-panel"}},
{"model": "dcim.devicerole", "pk": 4, "fields": {"name": "Thing", "slug": "thing"}},
{"model": "ipam.ipaddress", "pk": 1, "fields": {"address": "10.0.0.1/24"}},
{"model": "virtualization.cluster", "pk": 1, "fields": {"name": "c1", "site": 1}},
{"model": "dcim.device", "pk": 1, "fields": {"name": "srv1", "device_type": 1, "device_role": 1, "site": 1, "rack": 1, "position": "4.0", "serial": "S1", "status": "active", "primary_ip4": 1, "cluster": 1}},
{"model": "dcim.device", "pk": 2, "fields": {"name": "pdu-a", "device_type": 1, "role": 2, "site": 1, "rack": 1}},
{"model": "dcim.device", "pk": 3, "fields": {"name": "pdu-b", "device_type": 1, "role": 2, "site": 1, "rack": 1}},
{"model": "dcim.device", "pk": 4, "fields": {"name": null, "device_type": 1, "role": 3, "site": 1, "rack": 1}},
{"model": "dcim.device", "pk": 5, "fields": {"name": "", "device_type": 1, "role": 3, "site": 1, "rack": 1}},
{"model": "dcim.device", "pk": 6, "fields": {"name": "srv2", "device_type": 1, "role": 4, "site": 1}},
{"model": "virtualization.virtualmachine", "pk": 1, "fields": {"name": "vm1", "cluster": 1, "device": 1, "vcpus": "2.00", "memory": 4096}},
{"model": "dcim.powerport", "pk": 1, "fields": {"device": 1}}, {"model": "dcim.powerport", "pk": 2, "fields": {"device": 1}},
{"model": "dcim.poweroutlet", "pk": 1, "fields": {"device": 2}}, {"model": "dcim.poweroutlet", "pk": 2, "fields": {"device": 3}},
{"model": "dcim.interface", "pk": 1, "fields": {"device": 1}}, {"model": "dcim.interface", "pk": 2, "fields": {"device": 6}},
{"model": "dcim.frontport", "pk": 1, "fields": {"device": 4, "rear_port": 1}}, {"model": "dcim.rearport", "pk": 1, "fields": {"device": 4}},
{"model": "dcim.frontport", "pk": 2, "fields": {"device": 5, "rear_port": 2}}, {"model": "dcim.rearport", "pk": 2, "fields": {"device": 5}},
{"model": "dcim.cabletermination", "pk": 1, "fields": {"cable": 1, "cable_end": "A", "termination_type": ["dcim", "powerport"], "termination_id": 1}},
{"model": "dcim.cabletermination", "pk": 2, "fields": {"cable": 1, "cable_end": "B", "termination_type": ["dcim", "poweroutlet"], "termination_id": 1}},
{"model": "dcim.cabletermination", "pk": 3, "fields": {"cable": 2, "cable_end": "B", "termination_type": ["dcim", "powerport"], "termination_id": 2}},
{"model": "dcim.cabletermination", "pk": 4, "fields": {"cable": 2, "cable_end": "A", "termination_type": ["dcim", "poweroutlet"], "termination_id": 2}},
{"model": "dcim.cabletermination", "pk": 5, "fields": {"cable": 3, "cable_end": "A", "termination_type": ["dcim", "interface"], "termination_id": 2}},
{"model": "dcim.cabletermination", "pk": 6, "fields": {"cable": 3, "cable_end": "B", "termination_type": ["dcim", "frontport"], "termination_id": 1}},
{"model": "dcim.cabletermination", "pk": 7, "fields": {"cable": 4, "cable_end": "A", "termination_type": ["dcim", "rearport"], "termination_id": 1}},
{"model": "dcim.cabletermination", "pk": 8, "fields": {"cable": 4, "cable_end": "B", "termination_type": ["dcim", "rearport"], "termination_id": 2}},
{"model": "dcim.cabletermination", "pk": 9, "fields": {"cable": 5, "cable_end": "A", "termination_type": ["dcim", "frontport"], "termination_id": 2}},
{"model": "dcim.cabletermination", "pk": 10, "fields": {"cable": 5, "cable_end": "B", "termination_type": ["dcim", "interface"], "termination_id": 1}}`

func TestADeviceIsWhereItStandsFedByWhatItIsPluggedIntoAndConnectedThroughPanels(t *testing.T) {
	r := from(t, Options{}, "["+room+"]")
	want := &importer.CI{
		ExternalID: "dcim.device:1", Class: "server", Name: "srv1", Lifecycle: "LIVE",
		Attributes: map[string]any{"model": "R640", "vendor": "Dell", "serialNumber": "S1", "position": "4", "ipAddress": "10.0.0.1"},
		Relationships: []importer.Relationship{
			{Type: "contained_in", Target: "dcim.rack:1", Evidence: "rack"},
			{Type: "member_of", Target: "virtualization.cluster:1", Evidence: "cluster"},
			{Type: "powered_by", Target: "dcim.device:2", Evidence: "1 outlet"},
			{Type: "powered_by", Target: "dcim.device:3", Evidence: "1 outlet"},
			{Type: "connects_to", Target: "dcim.device:6", Evidence: "1 cable"},
		},
		Groups: []importer.Group{{Name: "power", Mode: "ANY", Members: []importer.GroupMember{{Type: "powered_by", Target: "dcim.device:2", Weight: 1}, {Type: "powered_by", Target: "dcim.device:3", Weight: 1}}}},
	}
	if diff := cmp.Diff(want, r.ci(t, "dcim.device:1")); diff != "" {
		t.Error(diff)
	}
	vm := r.ci(t, "virtualization.virtualmachine:1")
	if diff := cmp.Diff([]importer.Relationship{{Type: "runs_on", Target: "dcim.device:1", Evidence: "device"}}, vm.Relationships); diff != "" || vm.Attributes["cpuCores"] != int64(2) || vm.Attributes["memoryGiB"] != int64(4) {
		t.Errorf("%s%+v", diff, vm)
	}
	if site := r.ci(t, "dcim.site:1"); site.Lifecycle != "PLANNED" || site.Attributes["address"] != "Main Street 1" {
		t.Errorf("%+v", site)
	}
	if diff := cmp.Diff([]importer.Relationship{{Type: "contained_in", Target: "dcim.location:1", Evidence: "location"}}, r.ci(t, "dcim.rack:1").Relationships); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a.json: 2 patch panels, which cables were followed through: --patch-panels brings them in"}, r.texts()); diff != "" {
		t.Error(diff)
	}
}

func TestPatchPanelsAndRolesAreReadAsAsked(t *testing.T) {
	r := from(t, Options{PatchPanels: true, Roles: map[string]string{"thing": "server"}}, "["+room+"]")
	a, b := r.ci(t, "dcim.device:4"), r.ci(t, "dcim.device:5")
	if a.Name != "Patch Panel AMS/R1 #4" || b.Name != "Patch Panel AMS/R1 #5" || a.Class != "network_device" || r.ci(t, "dcim.device:6").Class != "server" {
		t.Errorf("%+v %+v", a, b)
	}
	if diff := cmp.Diff([]importer.Relationship{{Type: "contained_in", Target: "dcim.rack:1", Evidence: "rack"}, {Type: "connects_to", Target: "dcim.device:6", Evidence: "1 cable"}}, a.Relationships); diff != "" {
		t.Error(diff)
	}
}

func TestPagesOfTheRESTAPIAreReadAlike(t *testing.T) {
	r := from(t, Options{}, `{"count": 2, "next": "https://x/?offset=2", "results": [
		{"id": 1, "url": "https://netbox.example.com/api/dcim/sites/1/", "name": "AMS", "status": {"value": "active", "label": "Active"}},
		{"id": 1, "url": "https://netbox.example.com/api/dcim/device-roles/1/", "name": "Switch", "slug": "access-switch"}]}`,
		`{"next": null, "results": [
		{"id": 7, "url": "https://netbox.example.com/api/dcim/devices/7/", "name": "sw1", "role": {"id": 1}, "site": {"id": 1, "name": "AMS"}, "primary_ip4": {"id": 3}, "status": {"value": "staged"}},
		{"id": 8, "url": "https://netbox.example.com/api/dcim/devices/8/", "name": "sw2", "role": {"id": 1}, "site": {"id": 1}},
		{"id": 3, "url": "https://netbox.example.com/api/ipam/ip-addresses/3/", "address": "10.0.0.3/24"},
		{"id": 1, "url": "https://netbox.example.com/api/dcim/interfaces/1/", "device": {"id": 7}}, {"id": 2, "url": "https://netbox.example.com/api/dcim/interfaces/2/", "device": {"id": 8}},
		{"id": 1, "url": "https://netbox.example.com/api/dcim/cables/1/", "a_terminations": [{"object_type": "dcim.interface", "object_id": 1}], "b_terminations": [{"object_type": "dcim.interface", "object_id": 2}]},
		{"id": 9, "name": "no address"}]}`)
	sw := r.ci(t, "dcim.device:7")
	if diff := cmp.Diff([]importer.Relationship{{Type: "contained_in", Target: "dcim.site:1", Evidence: "site"}, {Type: "connects_to", Target: "dcim.device:8", Evidence: "1 cable"}}, sw.Relationships); diff != "" || sw.Class != "switch" || sw.Lifecycle != "BUILD" || sw.Attributes["ipAddress"] != "10.0.0.3" {
		t.Errorf("%s%+v", diff, sw)
	}
	if diff := cmp.Diff([]string{"b.json: 1 objects without a model or a primary key"}, r.texts()); diff != "" {
		t.Error(diff)
	}
}

func TestAFileOfAnotherShapeIsRefused(t *testing.T) {
	for _, content := range []string{"", "{", `{"a": 1}`, `"x"`, `{"results": 3}`} {
		r := from(t, Options{}, content)
		if len(r.notices) != 1 || r.notices[0].Kind != importer.Rejected || r.rows != nil {
			t.Errorf("%q: %q", content, r.texts())
		}
	}
	r := from(t, Options{}, `[1, null, {"model": "dcim.site"}, {"pk": 1}, {"model": "dcim.site", "pk": "x", "fields": {}}, {"model": "dcim.rack", "pk": 1, "fields": null}, {"model": "dcim.rack", "pk": 1, "fields": {}}]`)
	kinds := []importer.NoticeKind{}
	for _, n := range r.notices {
		kinds = append(kinds, n.Kind)
	}
	slices.Sort(kinds)
	if diff := cmp.Diff([]importer.NoticeKind{importer.Duplicate, importer.Skipped}, kinds); diff != "" || len(r.rows) != 1 || r.rows[0].CI.Name != "dcim.rack:1" {
		t.Errorf("%s%q %+v", diff, r.texts(), r.rows)
	}
	if r := collect(t, Options{}, filepath.Join(t.TempDir(), "gone")); r.err == nil {
		t.Error("a file that is not there is read")
	}
}
