// Package graph answers GraphQL: queries through the reader, mutations through a verb of a practice. Bodies have one to
// three lines; the packages below decide.
package graph

import (
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/approval"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/practice/source"
)

// Practices are the owners of all verbs. A new practice is a line here and one in the assembly of the product.
type Practices struct {
	CMDB         *cmdb.Practice
	Catalog      *catalog.Practice
	Incident     *incident.Practice
	Change       *change.Practice
	Approval     *approval.Practice
	ServiceLevel *servicelevel.Practice
	Schedule     *schedule.Practice
	Identity     *identity.Practice
	Source       *source.Practice
	Import       *importer.Practice
}

// Resolver is the root of all resolvers: the reader and the practices.
type Resolver struct {
	read *read.Reader
	Practices
}

// New returns the root of all resolvers.
func New(r *read.Reader, p Practices) *Resolver { return &Resolver{read: r, Practices: p} }
