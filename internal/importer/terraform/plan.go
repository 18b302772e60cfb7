package terraform

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// Action is what a plan does to a resource.
type Action string

// The actions.
const (
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace" // it is made anew, and keeps its address
	Retire  Action = "retire"
)

// Change is what a plan does to a resource that has a class.
type Change struct {
	Address, Class, Name string
	Action               Action
	// Attributes are those of the CI that will be otherwise, with their values after: all of one that is created.
	Attributes map[string]any
	Labels     map[string]string // of one that is created
	// Unknown are the attributes of the resource, of those that a CI has, whose values are known after the apply alone.
	Unknown []string
	// Relationships are those of one that is created to resources that exist, by their addresses.
	Relationships []importer.Relationship
}

// Plan is what a plan of Terraform does, as far as the CMDB knows of it.
type Plan struct {
	Changes []Change
	// Others counts changes of resources that have no class, by type.
	Others map[string]int
}

// ReadPlan reads what "show -json PLAN" prints.
func ReadPlan(name string) (*Plan, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.Size() > longestFile:
		return nil, rejected(name, 0, "the plan is larger than %d MiB", longestFile>>20)
	}
	content, err := os.ReadFile(name) //nolint:gosec // the person at the command line says which file
	if err != nil {
		return nil, err
	}
	return parsePlan(name, content)
}

// plannedChange is a change as a plan has it.
type plannedChange struct {
	Address string `json:"address"`
	Module  string `json:"module_address"`
	Mode    string `json:"mode"`
	Type    string `json:"type"`
	Name    string `json:"name"`
	Index   any    `json:"index"`
	Deposed string `json:"deposed"`
	Change  struct {
		Actions         []string                   `json:"actions"`
		Before          values                     `json:"before"`
		After           values                     `json:"after"`
		AfterUnknown    map[string]json.RawMessage `json:"after_unknown"`
		BeforeSensitive json.RawMessage            `json:"before_sensitive"`
		AfterSensitive  json.RawMessage            `json:"after_sensitive"`
	} `json:"change"`
}

func parsePlan(file string, content []byte) (*Plan, error) {
	var h struct {
		FormatVersion   string            `json:"format_version"`
		ResourceChanges []json.RawMessage `json:"resource_changes"`
		Errored         bool              `json:"errored"`
		PriorState      *struct {
			Values *struct {
				Root module `json:"root_module"`
			} `json:"values"`
		} `json:"prior_state"`
	}
	if err := json.Unmarshal(content, &h); err != nil {
		return nil, rejected(file, 1, "this is no plan: %v", jsonFault(err))
	}
	switch {
	case h.FormatVersion == "" || h.ResourceChanges == nil:
		return nil, rejected(file, 1, "this is no plan: make one by `terraform plan -out FILE`, and print it by `terraform show -json FILE`")
	case h.Errored:
		return nil, rejected(file, 1, "the plan ended in errors, and is not whole")
	}
	st := &state{file: file}
	if h.PriorState != nil && h.PriorState.Values != nil {
		if wrong := st.readShown(content, h.PriorState.Values.Root); wrong != nil {
			return nil, wrong
		}
	}
	at := &lines{content: content}
	plan := &Plan{Others: map[string]int{}}
	created := map[*resource]int{} // its place among the changes
	for _, raw := range h.ResourceChanges {
		line := at.of(raw)
		var c plannedChange
		if err := json.Unmarshal(raw, &c); err != nil {
			return nil, rejected(file, line, "the change cannot be read: %s", jsonFault(err))
		}
		action, err := c.action()
		if err != nil {
			return nil, rejected(file, line, "%s: %v", c.Address, err)
		}
		if action == "" {
			continue
		}
		class := classOf(c.Type)
		if class == "" {
			plan.Others[c.Type]++
			continue
		}
		made, r := c.made(action, class)
		if action == Create {
			created[r] = len(plan.Changes)
			st.resources = append(st.resources, r)
		}
		plan.Changes = append(plan.Changes, made)
	}
	st.index()
	e := &edges{state: st, found: map[*resource]map[edge]*reason{}}
	e.find()
	for r, place := range created {
		plan.Changes[place].Relationships = e.of(r)
	}
	return plan, nil
}

// action returns what a plan does; "" if that is nothing that the CMDB has.
func (c *plannedChange) action() (Action, error) {
	if c.Mode != "managed" || c.Deposed != "" {
		return "", nil
	}
	switch strings.Join(c.Change.Actions, " ") {
	case "no-op", "read", "":
		return "", nil
	case "create":
		return Create, nil
	case "update":
		return Update, nil
	case "delete", "forget":
		return Retire, nil
	case "delete create", "create delete", "create forget":
		return Replace, nil
	}
	return "", fmt.Errorf("the actions %v are not known", c.Change.Actions)
}

// made makes a change, and the resource as it will be.
func (c *plannedChange) made(action Action, class string) (Change, *resource) {
	conceal(c.Change.Before, c.Change.BeforeSensitive)
	conceal(c.Change.After, c.Change.AfterSensitive)
	own := strings.TrimSuffix(c.Address, indexText(c.Index))
	before := &resource{address: c.Address, base: withoutIndexes(own), module: c.Module, kind: c.Type, name: c.Name, class: class, values: c.Change.Before}
	after := *before
	after.values = c.Change.After
	made := Change{Address: c.Address, Class: class, Action: action, Attributes: map[string]any{}}
	if action == Retire {
		made.Name = before.called()
		return made, before
	}
	made.Name = after.called()
	was := before.planned()
	for name, value := range after.planned() {
		if was[name] != value {
			made.Attributes[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Change.AfterUnknown)) {
		if string(c.Change.AfterUnknown[name]) == "true" && isKept(class, name) {
			made.Unknown = append(made.Unknown, name)
		}
	}
	if action == Create {
		made.Labels = map[string]string{"terraform": c.Type}
	}
	return made, &after
}

// planned returns the attributes that the CI will have, without those that are not known yet.
func (r *resource) planned() map[string]any {
	all := r.attributes()
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == "" })
	return all
}

// isKept reports whether a CI of a class has something of an attribute.
func isKept(class, attribute string) bool {
	if attribute == "id" || attribute == "arn" || slices.Contains(located, attribute) {
		return true
	}
	for _, from := range kept[class] {
		if slices.Contains(from, attribute) {
			return true
		}
	}
	return false
}

// conceal takes out the attributes that are sensitive, as a whole or in part.
func conceal(v values, sensitive json.RawMessage) {
	var marks map[string]json.RawMessage
	if json.Unmarshal(sensitive, &marks) != nil {
		if string(sensitive) == "true" {
			clear(v)
		}
		return
	}
	for name, mark := range marks {
		if strings.Contains(string(mark), "true") {
			delete(v, name)
		}
	}
}
