package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// callerHeaders returns the headers that say who calls.
func (c Config) callerHeaders() []string {
	if c.IsDev {
		return []string{actorHeader, rolesHeader}
	}
	return []string{"Authorization"}
}

// introduced returns the headers of a socket: those of its upgrade, and from the payload of connection_init only the
// named ones, which browsers cannot set on an upgrade. If the upgrade has any of them, the payload may only repeat
// them: a client does not overrule a proxy that says who calls.
func introduced(upgrade http.Header, payload json.RawMessage, named []string) (http.Header, error) {
	var given map[string]any
	if payload != nil && json.Unmarshal(payload, &given) != nil {
		return nil, violation{closeInvalid, "Invalid message: the payload of connection_init must be an object"}
	}
	isNamed := slices.ContainsFunc(named, func(name string) bool { return upgrade.Values(name) != nil })
	header := upgrade.Clone()
	for name, value := range given {
		name = http.CanonicalHeaderKey(name)
		if value == nil || !slices.Contains(named, name) {
			continue
		}
		text, ok := value.(string)
		if !ok {
			return nil, violation{closeInvalid, "Invalid message: " + name + " in the payload of connection_init must be a text"}
		}
		before := header.Values(name) // or of another spelling in the payload
		if isNamed && before == nil || before != nil && strings.Join(before, ",") != text {
			return nil, violation{closeInvalid, "Invalid message: connection_init names another caller by " + name + " than was named before"}
		}
		if before == nil {
			header.Set(name, text)
		}
	}
	return header, nil
}
