package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

// limitFlags makes a flag of each limit, --limit-NAME, and lets the environment variable LINCHPIN_LIMIT_NAME say it
// where the flag is not given.
func limitFlags(flags *pflag.FlagSet, l *guard.Limits) {
	for _, f := range []struct {
		name, usage string
		value       *int
	}{
		{"body", "bytes of a request's body", &l.Body},
		{"document", "bytes of a document", &l.Document},
		{"tokens", "tokens of a document", &l.Tokens},
		{"depth", "fields within fields", &l.Depth},
		{"aliases", "aliases in a selection set, and repeats of one field there", &l.Aliases},
		{"directives", "directives of a document", &l.Directives},
		{"selections", "selections of an operation with its fragments written out", &l.Selections},
		{"nesting", "lists and objects within each other in a value", &l.Nesting},
		{"values", "values in the variables of an operation", &l.Values},
		{"cost", "cost of an operation, about one for each record it may answer", &l.Cost},
		{"errors", "errors in one answer", &l.Errors},
		{"documents", "bytes of memory for documents that were read", &l.Documents},
	} {
		flags.IntVar(f.value, "limit-"+f.name, *f.value, f.usage)
	}
	flags.DurationVar(&l.QueryTime, "limit-query-time", l.QueryTime, "time of a query")
	flags.DurationVar(&l.MutationTime, "limit-mutation-time", l.MutationTime, "time of a mutation")
}

// fromEnvironment sets the limits that only the environment states, and refuses what is no limit.
func fromEnvironment(flags *pflag.FlagSet, getenv func(string) string) (problem error) {
	flags.VisitAll(func(f *pflag.Flag) {
		if !strings.HasPrefix(f.Name, "limit-") || problem != nil {
			return
		}
		from := "--" + f.Name
		if variable := "LINCHPIN_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")); !f.Changed && getenv(variable) != "" {
			from = variable
			if err := f.Value.Set(getenv(variable)); err != nil {
				problem = fmt.Errorf("%s=%q: %w", variable, getenv(variable), err)
				return
			}
		}
		if v := f.Value.String(); v == "0" || v == "0s" || strings.HasPrefix(v, "-") {
			problem = fmt.Errorf("%s is %s: a limit is more than nothing", from, v)
		}
	})
	return problem
}
