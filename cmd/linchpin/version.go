package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		Args:  argsOf(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(env.stdout, "linchpin", version(debug.ReadBuildInfo()))
			return err
		},
	}
}

// version returns the version of the module and of Go that the toolchain wrote into the binary: a release or a
// pseudo-version of the commit, "(devel)" if it was built without either.
func version(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "unknown"
	}
	return info.Main.Version + " " + info.GoVersion
}
