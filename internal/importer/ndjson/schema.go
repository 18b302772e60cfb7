package ndjson

import _ "embed"

// Schema is the JSON Schema of a line.
//
//go:embed row.schema.json
var Schema []byte
