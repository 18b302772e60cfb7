// Package schema holds the GraphQL contract: hand-written SDL, one file per concept. It is the product's public
// face; tables may change under it, it may not break.
package schema

import "embed"

// Files are the SDL files.
//
//go:embed *.graphql
var Files embed.FS
