package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Origin reads the origin of pages of another site that may ask: a scheme, a host and perhaps a port, and no pattern.
func Origin(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.Contains(u.Host, "*") {
		return "", fmt.Errorf("%q is no origin: it is a scheme and a host, such as https://portal.example.org, without a path or a pattern", text)
	}
	return u.Scheme + "://" + hostOf(u.Host, u.Scheme), nil
}

// The methods and headers that pages of named origins may use, and what they may read of an answer.
var (
	sharedMethods = "GET, POST"
	sharedHeaders = strings.Join([]string{
		"Accept", "Authorization", "Content-Type", "If-None-Match", lastEvent, keyHeader, actorHeader, rolesHeader, costHeader, leastHeader, staleHeader, requestHeader, "Traceparent", "Tracestate",
	}, ", ")
	shownHeaders = strings.Join([]string{"ETag", "Retry-After", requestHeader}, ", ")
)

// sharedFor is how many seconds a browser remembers the answer to a preflight.
const sharedFor = "600"

// shares reports whether a request comes from a page of a named origin and asks for what such pages may have: the
// contract and its answers, and never the pages where people sign in.
func (f Front) shares(r *http.Request) bool {
	return (r.URL.Path == "/graphql" || r.URL.Path == "/schema.graphql") && slices.Contains(f.Origins, r.Header.Get("Origin"))
}

// shared tells browsers that pages of named origins may ask with the credentials of the user, and answers what they ask
// before. To all others it says nothing, so that browsers keep answers from them.
func shared(c Config, next http.Handler) http.Handler {
	if len(c.Front.Origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		if !c.Front.shares(r) {
			next.ServeHTTP(w, r)
			return
		}
		header := w.Header()
		header.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		header.Set("Access-Control-Allow-Credentials", "true")
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			header.Set("Access-Control-Expose-Headers", shownHeaders)
			next.ServeHTTP(w, r)
			return
		}
		header.Set("Access-Control-Allow-Methods", sharedMethods)
		header.Set("Access-Control-Allow-Headers", sharedHeaders)
		header.Set("Access-Control-Max-Age", sharedFor)
		header.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
		w.WriteHeader(http.StatusNoContent)
	})
}
