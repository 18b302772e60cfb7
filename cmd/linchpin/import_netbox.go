package main

import (
	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/importer/netbox"
)

func importNetBoxCommand(env *environment, o *importOptions) *cobra.Command {
	var options netbox.Options
	cmd := &cobra.Command{
		Use:   "netbox PATH…",
		Short: "Import NetBox's sites, racks, devices, virtual machines and cables",
		Long: `Import what NetBox's manage.py dumpdata writes, or pages of its REST API that
were kept as files: sites, rooms, racks, devices, clusters, virtual machines, and
the cables between them. Patch panels are followed through and left out.`,
		Example: `  linchpin import netbox netbox.json
  linchpin import netbox pages/ --role load-generator=server`,
		Args: argsOf(somePaths),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runImport(auth.With(cmd.Context(), operator()), env, netbox.New(args, options), *o)
		},
	}
	cmd.Flags().BoolVar(&options.PatchPanels, "patch-panels", false, "bring patch panels in")
	cmd.Flags().StringToStringVar(&options.Roles, "role", nil, "class of the devices of a role, SLUG=CLASS; may be repeated")
	return cmd
}
