package server

import (
	"mime"
	"strconv"
	"strings"
)

// offer holds the forms in which a client takes an answer.
type offer struct {
	media         string // of a single answer; "" for none
	streams       bool   // it takes server-sent events
	prefersStream bool   // and likes no other form as much
}

// negotiate returns the offer of a client's Accept headers. A client that accepts anything, or does not say, gets the
// media type that every client knows. Between equals the newer one is better, and one answer is better than a stream:
// some clients name the stream in every request.
func negotiate(accept []string) (o offer) {
	if len(accept) == 0 {
		return offer{media: plainJSON}
	}
	best, stream := 0.0, 0.0
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		name, quality := preference(part)
		switch name {
		case eventStream, "text/*":
			stream = max(stream, quality)
			continue
		case "*/*", "application/*":
			name = plainJSON
		}
		if name != plainJSON && name != graphqlJSON || quality == 0 {
			continue
		}
		if quality > best || quality == best && name == graphqlJSON {
			o.media, best = name, quality
		}
	}
	o.streams, o.prefersStream = stream > 0, stream > best
	return o
}

// preference returns one media type of an Accept header and its quality: 0 stands for not at all.
func preference(part string) (name string, quality float64) {
	name, options, err := mime.ParseMediaType(strings.TrimSpace(part))
	if err != nil {
		return "", 0
	}
	if charset := strings.ToLower(options["charset"]); charset != "" && charset != "utf-8" && charset != "utf8" {
		return "", 0
	}
	text, ok := options["q"]
	if !ok {
		return name, 1
	}
	if quality, err = strconv.ParseFloat(text, 64); err != nil || quality < 0 || quality > 1 {
		return "", 0
	}
	return name, quality
}
