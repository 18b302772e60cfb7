package graph

import (
	"maps"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/graph/exec"
)

// Schema returns the contract with r to answer it. It has no @defer, which gqlgen adds to every schema: an operation is
// answered whole.
func (r *Resolver) Schema() graphql.ExecutableSchema {
	s := *exec.NewExecutableSchema(exec.Config{}).Schema()
	s.Directives = maps.Clone(s.Directives)
	delete(s.Directives, "defer")
	return exec.NewExecutableSchema(exec.Config{Schema: &s, Resolvers: r})
}
