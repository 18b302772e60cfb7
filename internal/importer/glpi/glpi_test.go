package glpi

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// collect reads inventories, files by name.
func collect(t *testing.T, files ...string) (cis []importer.CI, told []string) {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for row, err := range New([]string{dir}).Rows(t.Context()) {
		n := (*importer.Notice)(nil)
		switch {
		case errors.As(err, &n):
			told = append(told, string(n.Kind)+" "+filepath.Base(n.Origin.File)+" "+strings.ReplaceAll(n.Reason, dir+"/", ""))
		case err != nil:
			t.Fatal(err)
		default:
			cis = append(cis, *row.CI)
		}
	}
	return cis, told
}

const host = `{"action": "inventory", "deviceid": "hv-2026", "itemtype": "Computer", "content": {
  "hardware": {"name": "hv", "uuid": "4C4C4544-0034-5A10-8053-B7C04F564432", "memory": 65536, "chassis_type": "Rack Mount Chassis", "vmsystem": "Physical"},
  "bios": {"ssn": "CZ1234", "smanufacturer": "Dell Inc.", "smodel": "R640"}, "operatingsystem": {"full_name": "Debian 12"},
  "cpus": [{"core": 8}, {"core": "8"}], "networks": [{"mac": "AA:BB:CC:00:00:01", "ipaddress": "127.0.0.1"}, {"mac": "AA:BB:CC:00:00:02", "ipaddress": "10.0.0.2"}],
  "virtualmachines": [{"name": "guest", "uuid": "8D7F0B6A-0000-4000-8000-000000000001", "memory": "2048", "vcpu": 2, "vmtype": "kvm", "status": "running"}, {"name": "other", "uuid": "8D7F0B6A-0000-4000-8000-000000000002"}, {"name": "nameless"}],
  "users": [{"login": "not for the CMDB"}]}}`

const guest = `{"deviceid": "guest-2026", "itemtype": "Computer", "content": {
  "hardware": {"name": "guest.example.com", "uuid": "8d7f0b6a-0000-4000-8000-000000000001", "memory": 2048, "vmsystem": "KVM"}, "bios": {"ssn": "Default string"}}}`

const gear = `{"deviceid": "sw-1", "itemtype": "NetworkEquipment", "content": {
  "network_device": {"type": "Networking", "name": "sw1", "serial": "foc0001", "manufacturer": "Cisco", "model": "C9300", "firmware": "17.3", "ips": ["10.0.0.3"], "mac": "00:11:22:33:44:55"},
  "network_ports": [{"ifname": "Gi1/0/1", "connections": [{"sysname": "hv", "sysmac": "aa:bb:cc:00:00:02"}]}, {"ifname": "Gi1/0/2", "connections": [{"sysname": "HV"}]}, {"ifname": "Gi1/0/3", "connections": [{"sysname": "printer"}]}]}}`

func TestComputersTheirVirtualMachinesAndWhatTheyArePluggedInto(t *testing.T) {
	const hv, vm1, vm2, sw = "uuid:4c4c4544-0034-5a10-8053-b7c04f564432", "uuid:8d7f0b6a-0000-4000-8000-000000000001", "uuid:8d7f0b6a-0000-4000-8000-000000000002", "serial:CISCO/FOC0001"
	on := []importer.Relationship{{Type: "virtualized_by", Target: hv, Evidence: "virtualmachines"}}
	want := map[string]importer.CI{
		hv: {ExternalID: hv, Class: "hypervisor", Name: "hv", Attributes: map[string]any{
			"os": "Debian 12", "serialNumber": "CZ1234", "vendor": "Dell Inc.", "model": "R640", "cpuCores": int64(16), "memoryGiB": int64(64), "ipAddress": "10.0.0.2",
		}},
		vm1: {ExternalID: vm1, Class: "virtual_machine", Name: "guest.example.com", Attributes: map[string]any{"memoryGiB": int64(2), "serialNumber": "Default string"}, Relationships: on},
		vm2: {ExternalID: vm2, Class: "virtual_machine", Name: "other", Attributes: map[string]any{}, Relationships: on},
		sw: {
			ExternalID: sw, Class: "network_device", Name: "sw1", Attributes: map[string]any{"serialNumber": "foc0001", "vendor": "Cisco", "model": "C9300", "firmware": "17.3", "ipAddress": "10.0.0.3"},
			Relationships: []importer.Relationship{{Type: "connects_to", Target: hv, Evidence: "port Gi1/0/1"}},
		},
	}
	for _, order := range [][]string{{"1.json", host, "2.json", guest, "3.json", gear}, {"1.json", gear, "2.json", guest, "3.json", host}} {
		cis, told := collect(t, order...)
		got := map[string]importer.CI{}
		for _, c := range cis {
			got[c.ExternalID] = c
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		said := strings.Join(told, "\n")
		if len(told) != 2 || !strings.Contains(said, "1 virtual machines have no name or UUID") || !strings.Contains(said, "1 ports are plugged into what has no inventory") {
			t.Error(said)
		}
	}
}

func TestAnInventoryThatCannotBeReadIsNamedAndTheRestIsRead(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{"", "rejected a.json this is no JSON"},
		{"<?xml version='1.0'?><REQUEST/>", "rejected a.json this is no JSON, as GLPI's agent writes inventories: an older one writes XML"},
		{"[]", "another shape than in an inventory"},
		{"{}", "rejected a.json this is no inventory of GLPI's agent: it has no content"},
		{`{"itemtype": "Computer", "content": null}`, "it has no content"},
		{`{"itemtype": "Computer", "content": {"hardware": [1]}}`, "rejected a.json content.hardware has another shape"},
		{`{"itemtype": "Computer", "content": {"hardware": {"name": "x", "uuid": "00000000-0000-0000-0000-000000000000"}}}`, "nothing identifies the computer"},
		{`{"itemtype": "NetworkEquipment", "deviceid": "a", "content": {}}`, "has no network_device"},
		{`{"itemtype": "NetworkEquipment", "content": {"network_device": {"serial": "N/A"}}}`, "nothing identifies the equipment"},
		{`{"itemtype": "Printer", "deviceid": "p", "content": {}}`, "skipped a.json inventories of a Printer have no class"},
		{guest, `duplicate b.json "uuid:8d7f0b6a-0000-4000-8000-000000000001" has another inventory, a.json, which counts`},
	} {
		cis, told := collect(t, "a.json", c.text, "b.json", guest)
		if said := strings.Join(told, "\n"); !strings.Contains(said, c.says) {
			t.Errorf("%.40s: %s", c.text, said)
		}
		if len(cis) != 1 {
			t.Errorf("%.40s: %d machines", c.text, len(cis))
		}
	}
}
