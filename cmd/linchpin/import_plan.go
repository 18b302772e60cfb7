package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer/terraform"
)

func importPlanCommand(env *environment, o *importOptions) *cobra.Command {
	var title, lineage string
	cmd := &cobra.Command{
		Use:   "terraform-plan FILE",
		Short: "Draft a change of what a plan of Terraform or OpenTofu will do",
		Long: `Draft a change of what a plan will do: the CIs that it creates, changes and retires are
its planned operations, which are carried out when the change starts. FILE is what
"terraform show -json PLAN" prints. CIs are those that import terraform has brought
in. Resources that have no class, and values that are known after the apply alone,
are named in the description.`,
		Example: "  terraform plan -out p && terraform show -json p > p.json\n  linchpin import terraform-plan p.json --title 'Another web server'",
		Args:    argsOf(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := terraform.ReadPlan(args[0])
			if err != nil {
				return err
			}
			return withWriter(cmd, env, func(ctx context.Context, a *answerer) error {
				d := planned{plan: plan, title: cmp.Or(title, "Terraform: "+counted(plan))}
				if d.known, err = knownResources(ctx, a, cmp.Or(o.source, "terraform"), lineage); err != nil {
					return err
				}
				if err := d.operations(); err != nil {
					return err
				}
				return d.draft(ctx, env, a, o)
			})
		},
	}
	cmd.Flags().StringVar(&title, "title", "", "title of the change (default what the plan does)")
	cmd.Flags().StringVar(&lineage, "lineage", "", "lineage of the state that the plan is for, if resources of several states have the same addresses")
	return cmd
}

// counted says how many resources a plan creates, changes and retires.
func counted(plan *terraform.Plan) string {
	n := map[terraform.Action]int{}
	for _, c := range plan.Changes {
		n[c.Action]++
	}
	return fmt.Sprintf("create %d, change %d, retire %d", n[terraform.Create], n[terraform.Update]+n[terraform.Replace], n[terraform.Retire])
}

// knownResources maps the addresses of resources to the ids of their CIs. One that several states have is "".
func knownResources(ctx context.Context, a *answerer, source, lineage string) (map[string][]string, error) {
	found, err := paged[struct {
		ID                 string
		ExternalIdentities []domain.ExternalKey
	}](ctx, a, "cis", `query($filter: CIFilter, $first: Int, $after: String) { cis(filter: $filter, first: $first, after: $after) {
  nodes { id externalIdentities { source externalId } } pageInfo { hasNextPage endCursor } } }`, pageSize, map[string]any{"filter": map[string]any{"source": map[string]any{"eq": source}}})
	if err != nil {
		return nil, err
	}
	known := map[string][]string{}
	for _, c := range found {
		for _, k := range c.ExternalIdentities {
			if k.Source != source {
				continue
			}
			of, address, ok := strings.Cut(k.ExternalID, "/")
			if !ok || strings.ContainsAny(of, `."[`) { // the key is the address alone, which has a dot before any slash
				of, address = "", k.ExternalID
			}
			if (lineage == "" || lineage == of) && !slices.Contains(known[address], c.ID) {
				known[address] = append(known[address], c.ID)
			}
		}
	}
	return known, nil
}

// planned is a change of what a plan will do.
type planned struct {
	plan  *terraform.Plan
	title string
	known map[string][]string // ids of CIs, by the addresses of resources

	all   []map[string]any // as planChangeOperations takes them
	scope []map[string]any
	notes []string
}

// one returns the id of the CI of a resource. If no CI has come of it, it returns "".
func (d *planned) one(address string) (string, error) {
	switch ids := d.known[address]; len(ids) {
	case 0:
		return "", nil
	case 1:
		return ids[0], nil
	}
	return "", fmt.Errorf("%s is a resource of several states (%s): say which one the plan is for by --lineage", address, strings.Join(d.known[address], ", "))
}

// operations makes the operations: what is created first, what is retired last.
func (d *planned) operations() error {
	keys := map[string]string{}
	var last []map[string]any
	var related []map[string]any
	for i, c := range d.plan.Changes {
		id, err := d.one(c.Address)
		if err != nil {
			return err
		}
		if len(c.Unknown) > 0 {
			d.note("%s: known after the apply: %s", c.Address, strings.Join(c.Unknown, ", "))
		}
		if c.Action == terraform.Replace {
			d.note("%s is replaced", c.Address)
		}
		if id != "" && c.Action != terraform.Create {
			role := "CHANGED"
			if c.Action != terraform.Update {
				role = "TAKEN_DOWN"
			}
			d.scope = append(d.scope, map[string]any{"id": id, "role": role})
		}
		switch {
		case c.Action == terraform.Create && id != "":
			d.note("%s is to be created, and there is a CI of it already", c.Address)
		case c.Action == terraform.Create:
			keys[c.Address] = fmt.Sprintf("r%d", i+1)
			var labels []map[string]any
			for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
				labels = append(labels, map[string]any{"name": name, "value": c.Labels[name]})
			}
			d.all = append(d.all, map[string]any{"key": keys[c.Address], "createCI": map[string]any{"class": c.Class, "name": c.Name, "attributes": c.Attributes, "labels": labels}})
		case id == "":
			d.note("%s is not in the CMDB", c.Address)
		case c.Action == terraform.Retire:
			last = append(last, map[string]any{"retireCI": id})
		case len(c.Attributes) > 0:
			d.all = append(d.all, map[string]any{"updateCI": map[string]any{"id": id, "attributes": c.Attributes}})
		}
	}
	for _, c := range d.plan.Changes {
		for _, r := range c.Relationships {
			target := map[string]any{"key": keys[r.Target]}
			if keys[r.Target] == "" {
				id, err := d.one(r.Target)
				if err != nil {
					return err
				}
				if id == "" {
					continue
				}
				target = map[string]any{"id": id}
			}
			if keys[c.Address] == "" {
				continue
			}
			ends := map[string]any{"type": r.Type, "source": map[string]any{"key": keys[c.Address]}, "target": target}
			if r.IsReverse {
				ends["source"], ends["target"] = ends["target"], ends["source"]
			}
			if r.Strength != "" {
				ends["strength"] = r.Strength
			}
			related = append(related, map[string]any{"relateCIs": ends})
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(d.plan.Others)) {
		d.note("%s: %d resources of a type that has no class", kind, d.plan.Others[kind])
	}
	d.all = append(append(d.all, related...), last...)
	return nil
}

func (d *planned) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

// draft drafts the change, and says what it has.
func (d *planned) draft(ctx context.Context, env *environment, a *answerer, o *importOptions) error {
	_, _ = fmt.Fprintf(env.stdout, "%s: %d operations, %d CIs in scope\n", d.title, len(d.all), len(d.scope))
	for _, n := range d.notes {
		_, _ = fmt.Fprintf(env.stdout, "  %s\n", n)
	}
	if o.dryRun {
		_, _ = fmt.Fprintln(env.stdout, "Nothing was written: this was a dry run.")
		return nil
	}
	var drafted struct {
		DraftChange struct {
			Change     *struct{ ID string }
			UserErrors []struct{ Message string }
		}
	}
	if err := a.ask(ctx, &drafted, `mutation($input: DraftChangeInput!) { draftChange(input: $input) { change { id } userErrors { message } } }`, map[string]any{"input": map[string]any{
		"type": "NORMAL", "title": d.title, "description": strings.Join(d.notes, "\n"), "scope": d.scope,
	}}); err != nil {
		return err
	}
	if drafted.DraftChange.Change == nil {
		return refusals(drafted.DraftChange.UserErrors)
	}
	id := drafted.DraftChange.Change.ID
	if len(d.all) > 0 {
		var result struct {
			PlanChangeOperations struct{ UserErrors []struct{ Message string } }
		}
		if err := a.ask(ctx, &result, `mutation($input: PlanChangeOperationsInput!) { planChangeOperations(input: $input) { userErrors { message } } }`,
			map[string]any{"input": map[string]any{"id": id, "operations": d.all}}); err != nil {
			return fmt.Errorf("the change %s was drafted, and its operations were not: %w", id, err)
		}
		if err := refusals(result.PlanChangeOperations.UserErrors); err != nil {
			return fmt.Errorf("the change %s was drafted, and its operations were not: %w", id, err)
		}
	}
	_, _ = fmt.Fprintf(env.stdout, "Drafted as %s.\n", id)
	return nil
}

// refusals returns what user errors say, or nil.
func refusals(all []struct{ Message string }) error {
	var wrong []error
	for _, e := range all {
		wrong = append(wrong, errors.New(e.Message))
	}
	return errors.Join(wrong...)
}
