// Package glpi reads the inventories that GLPI's agent writes as JSON: computers, the virtual machines that they run,
// network equipment, and what is plugged into what. The key of a machine is its UUID, so that a virtual machine that
// its host lists and that has an agent of its own is one; without one it is the serial number, or what the agent says.
package glpi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
	"github.com/linchpin-cmdb/linchpin/internal/rule/identity"
)

// longestFile bounds an inventory, in bytes.
const longestFile = 32 << 20

// Source reads inventories.
type Source struct{ paths []string }

// New returns a source of the files at paths, and of the .json files of folders: an inventory each.
func New(paths []string) *Source { return &Source{paths} }

// Name returns "glpi".
func (s *Source) Name() string { return "glpi" }

// device is a machine that has an inventory, or that its host lists.
type device struct {
	row       importer.Row
	isListed  bool // by its host alone
	macs      []string
	neighbors []neighbor
}

// neighbor is what a port is plugged into.
type neighbor struct{ name, mac, port string }

// Rows reads all inventories, and then yields the machines.
func (s *Source) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		for _, path := range s.paths {
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				yield(importer.Row{}, fmt.Errorf("%s: no such file or folder: %w", path, fs.ErrNotExist))
				return
			}
		}
		all := &devices{byKey: map[string]*device{}}
		for file, err := range document.Files(ctx, s.paths, []string{".json"}, document.Limits{FileBytes: longestFile}) {
			notice := (*importer.Notice)(nil)
			switch {
			case errors.As(err, &notice):
			case err != nil:
				yield(importer.Row{}, err)
				return
			default:
				notice = all.read(file.Name, file.Content)
			}
			if notice != nil && !yield(importer.Row{}, notice) {
				return
			}
		}
		all.plug()
		for _, d := range all.order {
			if !yield(d.row, nil) {
				return
			}
		}
		for _, n := range all.notices {
			if !yield(importer.Row{}, n) {
				return
			}
		}
	}
}

// inventory is an inventory as the agent writes it: of its contents what is kept.
type inventory struct {
	DeviceID string `json:"deviceid"`
	ItemType string `json:"itemtype"`
	Content  *struct {
		Hardware struct {
			Name     string `json:"name"`
			UUID     string `json:"uuid"`
			Memory   number `json:"memory"` // MiB
			Chassis  string `json:"chassis_type"`
			VMSystem string `json:"vmsystem"`
		} `json:"hardware"`
		BIOS struct {
			Serial       string `json:"ssn"`
			Manufacturer string `json:"smanufacturer"`
			Model        string `json:"smodel"`
		} `json:"bios"`
		OS struct {
			FullName string `json:"full_name"`
			Name     string `json:"name"`
		} `json:"operatingsystem"`
		CPUs     []struct{ Core number } `json:"cpus"`
		Networks []struct {
			MAC       string `json:"mac"`
			IP        string `json:"ipaddress"`
			IsVirtual any    `json:"virtualdev"`
		} `json:"networks"`
		Machines []struct {
			Name   string `json:"name"`
			UUID   string `json:"uuid"`
			Memory number `json:"memory"`
			CPUs   number `json:"vcpu"`
		} `json:"virtualmachines"`
		Device *struct {
			Name         string   `json:"name"`
			Serial       string   `json:"serial"`
			Model        string   `json:"model"`
			Manufacturer string   `json:"manufacturer"`
			Firmware     string   `json:"firmware"`
			MAC          string   `json:"mac"`
			IPs          []string `json:"ips"`
		} `json:"network_device"`
		Ports []struct {
			Name        string `json:"ifname"`
			MAC         string `json:"mac"`
			Connections []struct {
				Name string `json:"sysname"`
				MAC  string `json:"sysmac"`
			} `json:"connections"`
		} `json:"network_ports"`
	} `json:"content"`
}

// number is a whole number, which some versions of the agent write as text.
type number int64

// UnmarshalJSON reads a number or a text that is one. Anything else is 0.
func (n *number) UnmarshalJSON(text []byte) error {
	var value json.Number
	if json.Unmarshal([]byte(strings.Trim(string(text), `"`)), &value) == nil {
		if whole, err := value.Int64(); err == nil && whole > 0 {
			*n = number(whole)
		}
	}
	return nil
}

// devices are the machines of all inventories.
type devices struct {
	byKey   map[string]*device
	order   []*device
	notices []*importer.Notice
}

func notice(kind importer.NoticeKind, file, format string, args ...any) *importer.Notice {
	return &importer.Notice{Origin: importer.Origin{File: file, Line: 1}, Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

// read reads an inventory. It repeats nothing of one that cannot be read.
func (all *devices) read(file string, content []byte) *importer.Notice {
	var in inventory
	if err := json.Unmarshal(content, &in); err != nil {
		if shape := (*json.UnmarshalTypeError)(nil); errors.As(err, &shape) {
			return notice(importer.Rejected, file, "%s has another shape than in an inventory", shape.Field)
		}
		return notice(importer.Rejected, file, "this is no JSON, as GLPI's agent writes inventories: an older one writes XML")
	}
	switch {
	case in.Content == nil || in.DeviceID == "" && in.ItemType == "":
		return notice(importer.Rejected, file, "this is no inventory of GLPI's agent: it has no content")
	case in.ItemType == "" || in.ItemType == "Computer":
		return all.computer(file, &in)
	case in.ItemType == "NetworkEquipment":
		return all.equipment(file, &in)
	}
	return notice(importer.Skipped, file, "inventories of a %s have no class", in.ItemType)
}

// add adds a machine. If another one has its key, what its own inventory says counts.
func (all *devices) add(d *device) *importer.Notice {
	ci := d.row.CI
	was := all.byKey[ci.ExternalID]
	switch {
	case was == nil:
		all.byKey[ci.ExternalID] = d
		all.order = append(all.order, d)
	case was.isListed && !d.isListed:
		if ci.Relationships = append(ci.Relationships, was.row.CI.Relationships...); ci.Class == "computer" || ci.Class == "server" {
			ci.Class = "virtual_machine"
		}
		*was = *d
	case d.isListed:
		for _, r := range ci.Relationships {
			if !slices.Contains(was.row.CI.Relationships, r) {
				was.row.CI.Relationships = append(was.row.CI.Relationships, r)
			}
		}
	default:
		n := notice(importer.Duplicate, d.row.Origin.File, "%q has another inventory, %s, which counts", ci.ExternalID, was.row.Origin.File)
		n.ExternalID = ci.ExternalID
		return n
	}
	return nil
}

// keyOf returns the key of a machine: the first of what identifies it.
func keyOf(uuid, serial, vendor, otherwise string) string {
	if uuid = strings.ToLower(strings.TrimSpace(uuid)); !identity.IsPlaceholder(uuid) && identity.Normal("uuid", uuid) != nil {
		return "uuid:" + uuid
	}
	if serial = strings.TrimSpace(serial); !identity.IsPlaceholder(serial) {
		return "serial:" + strings.ToUpper(strings.TrimSpace(vendor)) + "/" + strings.ToUpper(serial)
	}
	return otherwise
}

func (all *devices) computer(file string, in *inventory) *importer.Notice {
	c := in.Content
	key := keyOf(c.Hardware.UUID, c.BIOS.Serial, c.BIOS.Manufacturer, in.DeviceID)
	if key == "" {
		return notice(importer.Rejected, file, "nothing identifies the computer: it has neither uuid nor serial number nor deviceid")
	}
	ci := &importer.CI{ExternalID: key, Class: "computer", Name: c.Hardware.Name, Attributes: map[string]any{}}
	switch chassis := strings.ToLower(c.Hardware.Chassis); {
	case len(c.Machines) > 0:
		ci.Class = "hypervisor"
	case c.Hardware.VMSystem != "" && !strings.EqualFold(c.Hardware.VMSystem, "Physical"):
		ci.Class = "virtual_machine"
	case strings.Contains(chassis, "server") || strings.Contains(chassis, "rack") || strings.Contains(chassis, "blade"):
		ci.Class = "server"
	}
	if ci.Name == "" {
		ci.Name = key
	}
	os := c.OS.FullName
	if os == "" {
		os = c.OS.Name
	}
	set(ci, "os", os)
	set(ci, "serialNumber", c.BIOS.Serial)
	set(ci, "vendor", c.BIOS.Manufacturer)
	set(ci, "model", c.BIOS.Model)
	cores := number(0)
	for _, cpu := range c.CPUs {
		cores += cpu.Core
	}
	sizes(ci, cores, c.Hardware.Memory)
	d := &device{row: importer.Row{Origin: importer.Origin{File: file, Line: 1}, CI: ci}}
	for _, n := range c.Networks {
		d.macs = append(d.macs, strings.ToLower(n.MAC))
		if n.IP != "" && !strings.HasPrefix(n.IP, "127.") && n.IP != "::1" && ci.Attributes["ipAddress"] == nil {
			ci.Attributes["ipAddress"] = n.IP
		}
	}
	if wrong := all.add(d); wrong != nil {
		return wrong
	}
	nameless := 0
	for _, vm := range c.Machines {
		guest := keyOf(vm.UUID, "", "", "")
		if guest == "" || vm.Name == "" {
			nameless++
			continue
		}
		listed := &importer.CI{
			ExternalID: guest, Class: "virtual_machine", Name: vm.Name, Attributes: map[string]any{},
			Relationships: []importer.Relationship{{Type: "virtualized_by", Target: key, Evidence: "virtualmachines"}},
		}
		sizes(listed, vm.CPUs, vm.Memory)
		_ = all.add(&device{row: importer.Row{Origin: importer.Origin{File: file, Line: 1}, CI: listed}, isListed: true}) // which never is a duplicate
	}
	if nameless > 0 {
		return notice(importer.Skipped, file, "%d virtual machines have no name or UUID", nameless)
	}
	return nil
}

func (all *devices) equipment(file string, in *inventory) *importer.Notice {
	c := in.Content
	if c.Device == nil {
		return notice(importer.Rejected, file, "the inventory of network equipment has no network_device")
	}
	key := keyOf("", c.Device.Serial, c.Device.Manufacturer, in.DeviceID)
	if key == "" {
		return notice(importer.Rejected, file, "nothing identifies the equipment: it has neither serial number nor deviceid")
	}
	ci := &importer.CI{ExternalID: key, Class: "network_device", Name: c.Device.Name, Attributes: map[string]any{}}
	if ci.Name == "" {
		ci.Name = key
	}
	set(ci, "serialNumber", c.Device.Serial)
	set(ci, "vendor", c.Device.Manufacturer)
	set(ci, "model", c.Device.Model)
	set(ci, "firmware", c.Device.Firmware)
	if len(c.Device.IPs) > 0 {
		set(ci, "ipAddress", c.Device.IPs[0])
	}
	d := &device{row: importer.Row{Origin: importer.Origin{File: file, Line: 1}, CI: ci}, macs: []string{strings.ToLower(c.Device.MAC)}}
	for _, port := range c.Ports {
		d.macs = append(d.macs, strings.ToLower(port.MAC))
		for _, to := range port.Connections {
			d.neighbors = append(d.neighbors, neighbor{to.Name, strings.ToLower(to.MAC), port.Name})
		}
	}
	return all.add(d)
}

func set(ci *importer.CI, name, value string) {
	if value = strings.TrimSpace(value); value != "" {
		ci.Attributes[name] = value
	}
}

// sizes sets the cores and the memory, which the agent counts in MiB.
func sizes(ci *importer.CI, cores, mebibytes number) {
	if cores > 0 {
		ci.Attributes["cpuCores"] = int64(cores)
	}
	if gibibytes := (mebibytes + 512) / 1024; gibibytes > 0 {
		ci.Attributes["memoryGiB"] = int64(gibibytes)
	}
}

// plug relates what ports are plugged into: what has an inventory and the name, or the hardware address.
func (all *devices) plug() {
	byName, byMAC := map[string][]*device{}, map[string]*device{}
	for _, d := range all.order {
		byName[strings.ToLower(d.row.CI.Name)] = append(byName[strings.ToLower(d.row.CI.Name)], d)
		for _, mac := range d.macs {
			if mac != "" {
				byMAC[mac] = d
			}
		}
	}
	plugged := map[[2]*device]bool{}
	for _, d := range all.order {
		unknown := 0
		for _, n := range d.neighbors {
			to := byMAC[n.mac]
			if same := byName[strings.ToLower(n.name)]; to == nil && len(same) == 1 {
				to = same[0]
			}
			switch {
			case to == nil:
				unknown++
			case to != d && !plugged[[2]*device{d, to}] && !plugged[[2]*device{to, d}]:
				plugged[[2]*device{d, to}] = true
				d.row.CI.Relationships = append(d.row.CI.Relationships, importer.Relationship{Type: "connects_to", Target: to.row.CI.ExternalID, Evidence: "port " + n.port})
			}
		}
		if unknown > 0 {
			all.notices = append(all.notices, notice(importer.Skipped, d.row.Origin.File, "%d ports are plugged into what has no inventory", unknown))
		}
	}
}
