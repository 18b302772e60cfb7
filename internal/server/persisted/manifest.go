package persisted

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

// Read reads a manifest: Relay's persisted_queries.json and codegen's persisted-documents.json, which are an object
// of texts by id, or Apollo's operation manifest.
func Read(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	documents, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", path, err)
	}
	return documents, nil
}

const apollo = "apollo-persisted-query-manifest"

func decode(text []byte) (map[string]string, error) {
	var manifest struct {
		Format     string
		Version    int
		Operations []struct{ ID, Body string }
	}
	if err := json.Unmarshal(text, &manifest); err == nil && manifest.Format == apollo {
		if manifest.Version != 1 {
			return nil, fmt.Errorf("a manifest of Apollo has version 1, this one has version %d", manifest.Version)
		}
		documents := map[string]string{}
		for i, operation := range manifest.Operations {
			if operation.ID == "" || operation.Body == "" {
				return nil, fmt.Errorf("operations[%d] has no id or no body", i)
			}
			documents[operation.ID] = operation.Body
		}
		return documents, nil
	}
	documents := map[string]string{}
	if err := json.Unmarshal(text, &documents); err != nil {
		return nil, errors.New("it is neither an object of documents by id (Relay, codegen) nor a manifest of Apollo")
	}
	return documents, nil
}

// Check returns an error if a document of the manifests cannot be answered.
func (d *Documents) Check(g *guard.Guard) error {
	for _, id := range slices.Sorted(maps.Keys(d.byID)) {
		if _, problems := g.Admit(d.byID[id], "", nil); problems != nil {
			return fmt.Errorf("the trusted document %s cannot be answered: %s", id, problems[0].Message)
		}
	}
	return nil
}
