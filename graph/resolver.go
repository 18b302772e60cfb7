// Package graph answers GraphQL: queries through the reader, mutations through a verb of a practice. Bodies have one to
// three lines; whatever thinks lives below.
package graph

import (
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
)

// Resolver is the root of all resolvers: the reader and the practices.
type Resolver struct {
	read     *read.Reader
	cmdb     *cmdb.Practice
	catalog  *catalog.Practice
	incident *incident.Practice
	change   *change.Practice
	levels   *servicelevel.Practice
	schedule *schedule.Practice
}

// New makes the root of all resolvers.
func New(r *read.Reader, cmdb *cmdb.Practice, catalog *catalog.Practice, incident *incident.Practice, change *change.Practice, levels *servicelevel.Practice, schedule *schedule.Practice) *Resolver {
	return &Resolver{r, cmdb, catalog, incident, change, levels, schedule}
}
