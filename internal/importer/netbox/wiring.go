package netbox

import (
	"fmt"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// end is where a cable ends: a component of a device.
type end struct {
	model string // such as dcim.interface
	pk    int64
}

// wiring is what is cabled to what.
type wiring struct {
	*inventory
	far   map[end][]end               // the other ends of the cable in an end
	links map[int64]map[int64]int     // cables between devices, by the lower and the higher primary key
	feeds map[int64]map[int64][]int64 // power outlets, by the fed and the feeding device
}

// wiring follows all cables.
func (v *inventory) wiring() *wiring {
	w := &wiring{inventory: v, far: map[end][]end{}, links: map[int64]map[int64]int{}, feeds: map[int64]map[int64][]int64{}}
	sides := map[int64]map[string][]end{}
	add := func(cable int64, side string, at end) {
		if sides[cable] == nil {
			sides[cable] = map[string][]end{}
		}
		sides[cable][side] = append(sides[cable][side], at)
	}
	for _, t := range v.objects["dcim.cabletermination"] {
		add(t.ref("cable"), t.text("cable_end"), end{modelOf(t.fields["termination_type"]), t.ref("termination_id")})
	}
	for pk, c := range v.objects["dcim.cable"] { // pages of the REST API hold the ends in the cable
		for side, field := range map[string]string{"A": "a_terminations", "B": "b_terminations"} {
			ends, _ := c.fields[field].([]any)
			for _, item := range ends {
				if t, ok := item.(map[string]any); ok {
					add(pk, side, end{modelOf(t["object_type"]), pkOf(t["object_id"])})
				}
			}
		}
	}
	for _, cable := range sides {
		for _, a := range cable["A"] {
			w.far[a] = append(w.far[a], cable["B"]...)
		}
		for _, b := range cable["B"] {
			w.far[b] = append(w.far[b], cable["A"]...)
		}
	}
	for at := range w.far {
		switch at.model {
		case "dcim.interface":
			w.follow(at)
		case "dcim.powerport":
			for _, outlet := range w.far[at] {
				if outlet.model == "dcim.poweroutlet" {
					w.feed(w.device(at), w.device(outlet), outlet.pk)
				}
			}
		}
	}
	return w
}

// modelOf returns the model of a reference to a type: its natural key, or "dcim.interface".
func modelOf(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case []any:
		if len(value) == 2 {
			return fmt.Sprintf("%v.%v", value[0], value[1])
		}
	}
	return ""
}

// device returns the primary key of the device that an end belongs to, or 0.
func (w *wiring) device(at end) int64 { return w.get(at.model, at.pk).ref("device") }

func (w *wiring) feed(fed, by, outlet int64) {
	if fed == 0 || by == 0 || fed == by {
		return
	}
	if w.feeds[fed] == nil {
		w.feeds[fed] = map[int64][]int64{}
	}
	w.feeds[fed][by] = append(w.feeds[fed][by], outlet)
}

// follow follows the cable of an interface, through patch panels unless they are CIs themselves, to the devices at its
// far ends.
func (w *wiring) follow(from end) {
	own := w.device(from)
	seen := map[end]bool{from: true}
	next := slices.Clone(w.far[from])
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		other := w.device(at)
		panel := w.get("dcim.device", other)
		if panel != nil && w.isPanel(panel) && !w.options.PatchPanels {
			for _, through := range w.through(at) {
				next = append(next, w.far[through]...)
			}
			continue
		}
		if own != 0 && other != 0 && own < other || w.options.PatchPanels && own > other && at.model != "dcim.interface" && other != 0 {
			w.link(min(own, other), max(own, other))
		}
	}
}

func (w *wiring) link(low, high int64) {
	if low == 0 || low == high {
		return
	}
	if w.links[low] == nil {
		w.links[low] = map[int64]int{}
	}
	w.links[low][high]++
}

// through returns the ports on the other side of a port of a patch panel.
func (w *wiring) through(at end) (all []end) {
	port := w.get(at.model, at.pk)
	switch at.model {
	case "dcim.frontport":
		if rear := port.ref("rear_port"); rear != 0 {
			all = append(all, end{"dcim.rearport", rear})
		}
	case "dcim.rearport":
		for pk, front := range w.objects["dcim.frontport"] {
			if front.ref("rear_port") == at.pk {
				all = append(all, end{"dcim.frontport", pk})
			}
		}
	}
	return all
}

// relate adds what a device is fed by and connected to. Of two feeds either is enough.
func (w *wiring) relate(ci *importer.CI, pk int64) {
	var feeds []importer.GroupMember
	for _, by := range slices.Sorted(maps.Keys(w.feeds[pk])) {
		kind := "depends_on"
		if class := w.classOf(w.get("dcim.device", by)); class == "pdu" || class == "ups" {
			kind = "powered_by"
		}
		target := fmt.Sprintf("dcim.device:%d", by)
		ci.Relationships = append(ci.Relationships, importer.Relationship{Type: kind, Target: target, Evidence: counted(len(w.feeds[pk][by]), "outlet")})
		feeds = append(feeds, importer.GroupMember{Type: kind, Target: target, Weight: 1})
	}
	if len(feeds) > 1 {
		ci.Groups = append(ci.Groups, importer.Group{Name: "power", Mode: "ANY", Members: feeds})
	}
	for _, other := range slices.Sorted(maps.Keys(w.links[pk])) {
		ci.Relationships = append(ci.Relationships, importer.Relationship{Type: "connects_to", Target: fmt.Sprintf("dcim.device:%d", other), Evidence: counted(w.links[pk][other], "cable")})
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
