package main

import (
	"cmp"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/importer/ndjson"
)

func importNDJSONCommand(env *environment, o *importOptions) *cobra.Command {
	return &cobra.Command{
		Use: "ndjson FILE", Short: "Import lines of JSON, as programs push them; - is standard input",
		Long: `Import lines of JSON: {"run": {"scope": "prod", "kind": "FULL"}} first, then a row a
line, {"ci": {…}}, {"team": {…}}, {"person": {…}} or {"delete": "KEY"}, and last
{"end": {"rows": N}}, without which the reading is not complete. The same lines may be
posted to a server: docs/sources.md.`,
		Example: "  linchpin import ndjson --source inventory rows.ndjson\n  ./collect | linchpin import ndjson --source inventory -",
		Args:    argsOf(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.source == "" {
				return usageError{cmd, errors.New("say whose keys these are: --source NAME")}
			}
			name, from := "stdin", env.stdin
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer func() { err = cmp.Or(err, file.Close()) }()
				name, from = args[0], file
			}
			source, err := ndjson.New(o.source, name, from)
			if err != nil {
				return err
			}
			return runImport(auth.With(cmd.Context(), operator()), env, source, *o)
		},
	}
}
