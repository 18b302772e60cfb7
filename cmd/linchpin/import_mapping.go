package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	tablesource "github.com/linchpin-cmdb/linchpin/internal/importer/table"
)

// mappingFlags say which mapping an import reads by.
type mappingFlags struct {
	file, prepared string
	isShown        bool
}

func (f *mappingFlags) define(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "mapping", "", "file that says what the columns mean")
	cmd.Flags().StringVar(&f.prepared, "prepared", "", "read by the mapping that is prepared for what others export: "+strings.Join(tablesource.PreparedNames(), ", "))
	cmd.Flags().BoolVar(&f.isShown, "show", false, "with --prepared: print the mapping, to begin one of your own with, and import nothing")
	completeFlag(cmd, "prepared", cobra.FixedCompletions(tablesource.PreparedNames(), cobra.ShellCompDirectiveNoFileComp))
}

// show prints the prepared mapping, if that is asked for.
func (f *mappingFlags) show(env *environment) (done bool, err error) {
	if !f.isShown || f.prepared == "" {
		return false, nil
	}
	text, err := tablesource.PreparedText(f.prepared)
	if err == nil {
		_, err = env.stdout.Write(text)
	}
	return true, err
}

// read reads the mapping. Otherwise says what else the command line needs.
func (f *mappingFlags) read(cmd *cobra.Command, otherwise string) (*tablesource.Mapping, error) {
	switch {
	case f.isShown:
		return nil, usageError{cmd, errors.New("--show prints a prepared mapping: --prepared NAME")}
	case f.file != "" && f.prepared != "":
		return nil, usageError{cmd, errors.New("--mapping and --prepared are two mappings: give one of them")}
	case f.prepared != "":
		m, err := tablesource.Prepared(f.prepared)
		if err != nil {
			return nil, usageError{cmd, fmt.Errorf("--prepared: %w", err)}
		}
		return m, nil
	case f.file == "":
		return nil, usageError{cmd, errors.New("say what the columns mean: --mapping FILE; " + otherwise)}
	}
	return tablesource.ReadMapping(f.file)
}
