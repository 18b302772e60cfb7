package netbox

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// lifecycles are what NetBox's states say of where a thing stands in its life. Others say nothing of it.
var lifecycles = map[string]domain.Lifecycle{
	"active": domain.Live, "planned": domain.Planned, "staged": domain.Build, "staging": domain.Build, "decommissioning": domain.Deprecated, "retired": domain.Retired,
}

// read are the models that become rows or relationships, or are looked up.
var read = []string{
	"dcim.site", "dcim.location", "dcim.rack", "dcim.device", "dcim.devicerole", "dcim.devicetype", "dcim.manufacturer", "dcim.platform", "dcim.cable", "dcim.cabletermination",
	"dcim.interface", "dcim.frontport", "dcim.rearport", "dcim.powerport", "dcim.poweroutlet", "virtualization.cluster", "virtualization.virtualmachine", "ipam.ipaddress",
}

func (v *inventory) rows() (rows []importer.Row) {
	w := v.wiring()
	names := v.deviceNames()
	panels := 0
	for _, o := range v.order {
		var ci *importer.CI
		switch o.model {
		case "dcim.site":
			ci = o.ci("site")
			set(ci, "address", o.text("physical_address"))
		case "dcim.location":
			ci = o.ci("room")
			v.inside(ci, o, "dcim.location:parent", "dcim.site:site")
		case "dcim.rack":
			ci = o.ci("rack")
			number(ci, "heightUnits", o.text("u_height"))
			set(ci, "serialNumber", o.text("serial"))
			set(ci, "assetTag", o.text("asset_tag"))
			v.inside(ci, o, "dcim.location:location", "dcim.site:site")
		case "dcim.device":
			if v.isPanel(o) && !v.options.PatchPanels {
				panels++
				continue
			}
			ci = v.device(o, names[o.pk], w)
		case "virtualization.cluster":
			ci = o.ci("cluster")
			v.inside(ci, o, "dcim.site:site")
		case "virtualization.virtualmachine":
			ci = v.machine(o)
		default:
			continue
		}
		if len(ci.Attributes) == 0 {
			ci.Attributes = nil
		}
		rows = append(rows, importer.Row{Origin: o.origin, CI: ci})
	}
	if panels > 0 {
		v.notices = append(v.notices, notice(importer.Skipped, v.order[0].origin.File, 0, "%d patch panels, which cables were followed through: --patch-panels brings them in", panels))
	}
	v.skipped()
	return rows
}

// skipped notes how many objects of other models there are.
func (v *inventory) skipped() {
	var others []string
	for _, model := range slices.Sorted(maps.Keys(v.objects)) {
		if !slices.Contains(read, model) {
			others = append(others, fmt.Sprintf("%s %d", model, len(v.objects[model])))
		}
	}
	if others != nil {
		v.notices = append(v.notices, notice(importer.Skipped, v.order[0].origin.File, 0, "models that have no place in the CMDB: %s", strings.Join(others, ", ")))
	}
}

// ci makes a CI of an object that has a name.
func (o *object) ci(class string) *importer.CI {
	name := o.text("name")
	if name == "" {
		name = o.key()
	}
	return &importer.CI{
		ExternalID: o.key(), Class: class, Name: name, Description: o.text("description"), Lifecycle: string(lifecycles[o.text("status")]), Attributes: map[string]any{},
	}
}

func set(ci *importer.CI, name, text string) {
	if text != "" {
		ci.Attributes[name] = text
	}
}

// number sets an attribute that is a whole number.
func number(ci *importer.CI, name, text string) {
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 && n == float64(int64(n)) {
		ci.Attributes[name] = int64(n)
	}
}

// inside puts a CI into the first of the places, each "model:field", that the object names.
func (v *inventory) inside(ci *importer.CI, o *object, places ...string) {
	for _, place := range places {
		model, field, _ := strings.Cut(place, ":")
		if pk := o.ref(field); pk != 0 {
			ci.Relationships = append(ci.Relationships, importer.Relationship{Type: "contained_in", Target: fmt.Sprintf("%s:%d", model, pk), Evidence: field})
			return
		}
	}
}

// isPanel reports whether a device is a patch panel.
func (v *inventory) isPanel(o *object) bool {
	role := v.role(o).text("slug")
	return v.options.Roles[role] == "" && strings.Contains(role, "patch-panel")
}

// role returns the role of a device or virtual machine. NetBox before 3.6 called it device_role.
func (v *inventory) role(o *object) *object {
	if pk := o.ref("role"); pk != 0 {
		return v.get("dcim.devicerole", pk)
	}
	return v.get("dcim.devicerole", o.ref("device_role"))
}

// usual are the classes of devices, by what the slugs of their roles hold; the first that fits.
var usual = []struct{ part, class string }{
	{"switch", "switch"},
	{"router", "router"},
	{"firewall", "firewall"},
	{"load-balancer", "load_balancer"},
	{"pdu", "pdu"},
	{"ups", "ups"},
	{"storage", "storage"},
	{"server", "server"},
	{"hypervisor", "server"},
	{"patch-panel", "network_device"},
	{"wireless", "network_device"},
	{"access-point", "network_device"},
	{"network", "network_device"},
}

func (v *inventory) classOf(o *object) string {
	slug := v.role(o).text("slug")
	if class := v.options.Roles[slug]; class != "" {
		return class
	}
	for _, u := range usual {
		if strings.Contains(slug, u.part) {
			return u.class
		}
	}
	return "computer"
}

// deviceNames returns the names of devices: their own, or what they are and where they stand. Nameless ones that stand
// in one place are told apart by their primary keys.
func (v *inventory) deviceNames() map[int64]string {
	names, count := map[int64]string{}, map[string]int{}
	for pk, o := range v.objects["dcim.device"] {
		if name := o.text("name"); name != "" {
			names[pk] = name
			continue
		}
		name := v.role(o).text("name")
		if name == "" {
			name = "Device"
		}
		if site := v.get("dcim.site", o.ref("site")).text("name"); site != "" {
			name += " " + site
		}
		if rack := v.get("dcim.rack", o.ref("rack")).text("name"); rack != "" {
			name += "/" + rack
		}
		if position := strings.TrimSuffix(o.text("position"), ".0"); position != "" {
			name += " U" + position
		}
		names[pk] = name
		count[name]++
	}
	for pk, o := range v.objects["dcim.device"] {
		if o.text("name") == "" && count[names[pk]] > 1 {
			names[pk] += fmt.Sprintf(" #%d", pk)
		}
	}
	return names
}

func (v *inventory) device(o *object, name string, w *wiring) *importer.CI {
	ci := o.ci(v.classOf(o))
	ci.Name = name
	kind := v.get("dcim.devicetype", o.ref("device_type"))
	set(ci, "model", kind.text("model"))
	set(ci, "vendor", v.get("dcim.manufacturer", kind.ref("manufacturer")).text("name"))
	set(ci, "serialNumber", o.text("serial"))
	set(ci, "assetTag", o.text("asset_tag"))
	set(ci, "position", strings.TrimSuffix(o.text("position"), ".0"))
	set(ci, "os", v.get("dcim.platform", o.ref("platform")).text("name"))
	set(ci, "ipAddress", v.address(o))
	v.inside(ci, o, "dcim.rack:rack", "dcim.location:location", "dcim.site:site")
	if pk := o.ref("cluster"); pk != 0 {
		ci.Relationships = append(ci.Relationships, importer.Relationship{Type: "member_of", Target: fmt.Sprintf("virtualization.cluster:%d", pk), Evidence: "cluster"})
	}
	w.relate(ci, o.pk)
	return ci
}

// address returns the primary address of a device or virtual machine, without the length of its prefix.
func (v *inventory) address(o *object) string {
	for _, field := range []string{"primary_ip4", "primary_ip6"} {
		address, _, _ := strings.Cut(v.get("ipam.ipaddress", o.ref(field)).text("address"), "/")
		if address != "" {
			return address
		}
	}
	return ""
}

func (v *inventory) machine(o *object) *importer.CI {
	ci := o.ci("virtual_machine")
	number(ci, "cpuCores", o.text("vcpus"))
	if mib, err := strconv.Atoi(o.text("memory")); err == nil && mib >= 1024 && mib%1024 == 0 {
		ci.Attributes["memoryGiB"] = int64(mib / 1024)
	}
	set(ci, "os", v.get("dcim.platform", o.ref("platform")).text("name"))
	set(ci, "ipAddress", v.address(o))
	switch host, cluster := o.ref("device"), o.ref("cluster"); {
	case host != 0:
		ci.Relationships = append(ci.Relationships, importer.Relationship{Type: "runs_on", Target: fmt.Sprintf("dcim.device:%d", host), Evidence: "device"})
	case cluster != 0:
		ci.Relationships = append(ci.Relationships, importer.Relationship{Type: "runs_on", Target: fmt.Sprintf("virtualization.cluster:%d", cluster), Evidence: "cluster"})
	}
	return ci
}
