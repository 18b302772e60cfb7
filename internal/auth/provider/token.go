package provider

import (
	"encoding/base64"
	"encoding/json"
)

// typeOf returns the type that the head of a signed token names, if it names one.
func typeOf(head string) string {
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return ""
	}
	var h struct {
		Type string `json:"typ"`
	}
	if json.Unmarshal(raw, &h) != nil {
		return ""
	}
	return h.Type
}
