package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

func exportCSVCommand(env *environment) *cobra.Command {
	var chosen exportFlags
	var columns exportColumns
	cmd := &cobra.Command{
		Use:   "csv",
		Short: "Write CIs as a table",
		Long: `Write the CIs that you may see as a CSV file, a row each, sorted by name. --filter
is that of cis in GraphQL, as JSON; retired CIs are left out unless it asks for
them. A text that a spreadsheet would take for a formula gets a ' in front.`,
		Example: `  linchpin export csv > cis.csv
  linchpin export csv --class server --attribute serialNumber --label cost-center
  linchpin export csv --filter '{"lifecycle": {"eq": "RETIRED"}}'`,
		Args: argsOf(cobra.NoArgs),
		RunE: chosen.run(env, func(ctx context.Context, a *answerer, filter map[string]any) error {
			return columns.write(ctx, a, env, filter)
		}),
	}
	cmd.Flags().StringArrayVar(&columns.attributes, "attribute", nil, "a column more: an attribute, by name; may be repeated")
	cmd.Flags().StringArrayVar(&columns.labels, "label", nil, "a column more: a label, by name; may be repeated")
	chosen.define(cmd, env)
	return cmd
}

// exportColumns are the columns that a table has beside the usual ones.
type exportColumns struct{ attributes, labels []string }

// exportedCI is a CI as it is asked for.
type exportedCI struct {
	ID, Name, Description, Lifecycle, Environment, Criticality string
	Class                                                      struct{ Code string }
	Owners                                                     []struct{ Name, Role string }
	ExternalIdentities                                         []domain.ExternalKey
	Labels                                                     []struct{ Name, Value string }
	Attributes                                                 map[string]json.RawMessage
}

const exportQuestion = `query($filter: CIFilter, $first: Int, $after: String) {
  cis(filter: $filter, orderBy: [{field: NAME}], first: $first, after: $after) {
    nodes {
      id name description lifecycle environment criticality class { code } owners { name role }
      externalIdentities { source externalId } labels { name value } attributes
    }
    pageInfo { hasNextPage endCursor }
  }
}`

// write writes a table, page by page.
func (c exportColumns) write(ctx context.Context, a *answerer, env *environment, filter map[string]any) error {
	w := csv.NewWriter(env.stdout)
	head := []string{"id", "name", "class", "description", "lifecycle", "environment", "criticality", "owners", "keys"}
	for _, name := range c.attributes {
		head = append(head, harmless("attributes."+name))
	}
	for _, name := range c.labels {
		head = append(head, harmless("labels."+name))
	}
	if err := w.Write(head); err != nil {
		return err
	}
	for after := (*string)(nil); ; {
		var found struct {
			CIs struct {
				Nodes    []exportedCI
				PageInfo pageInfo
			}
		}
		if err := a.ask(ctx, &found, exportQuestion, map[string]any{"filter": filter, "first": pageSize, "after": after}); err != nil {
			return err
		}
		for _, ci := range found.CIs.Nodes {
			if err := w.Write(c.row(ci)); err != nil {
				return err
			}
		}
		w.Flush()
		if after = found.CIs.PageInfo.EndCursor; !found.CIs.PageInfo.HasNextPage {
			return w.Error()
		}
	}
}

// row returns the cells of a CI.
func (c exportColumns) row(ci exportedCI) []string {
	var owners, keys []string
	for _, o := range ci.Owners {
		owners = append(owners, o.Name+" ("+o.Role+")")
	}
	for _, k := range ci.ExternalIdentities {
		keys = append(keys, k.Source+":"+k.ExternalID)
	}
	cells := []string{
		ci.ID, harmless(ci.Name), ci.Class.Code, harmless(ci.Description), ci.Lifecycle, ci.Environment, ci.Criticality, harmless(strings.Join(owners, "; ")), harmless(strings.Join(keys, "; ")),
	}
	for _, name := range c.attributes {
		cells = append(cells, attributeCell(ci.Attributes[name]))
	}
	labels := map[string]string{}
	for _, l := range ci.Labels {
		labels[l.Name] = l.Value
	}
	for _, name := range c.labels {
		cells = append(cells, harmless(labels[name]))
	}
	return cells
}

// attributeCell returns an attribute as a cell: a text as it is, anything else as JSON.
func attributeCell(value json.RawMessage) string {
	var text string
	switch {
	case len(value) == 0 || bytes.Equal(value, []byte("null")):
		return ""
	case json.Unmarshal(value, &text) == nil:
		return harmless(text)
	}
	return string(value)
}

// harmless returns a text as a cell that no spreadsheet takes for a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
