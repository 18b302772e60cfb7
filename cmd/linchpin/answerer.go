package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/server"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

// answerer answers GraphQL: a server or, in this process, a database. Commands that read ask it, so that they say the
// same of both.
type answerer struct {
	client *http.Client
	url    string // without a slash at the end
	token  string // "": none
	close  func() error
}

const (
	mostOfAnswer = 64 << 20 // bytes that are read of an answer
	answerTime   = 2 * time.Minute
	pageSize     = 100 // the longest page that there is
)

// serverFlag adds the flag of the server that a command asks in place of a database.
func serverFlag(cmd *cobra.Command, env *environment) { serverIn(cmd.Flags(), env) }

// persistentServerFlag adds the flag to a command and all below it.
func persistentServerFlag(cmd *cobra.Command, env *environment) {
	serverIn(cmd.PersistentFlags(), env)
}

func serverIn(flags *pflag.FlagSet, env *environment) {
	flags.StringVar(&env.server, "server", "", "ask this server, such as https://cmdb.example.org, and no database (default $LINCHPIN_URL)")
}

// withAnswerer answers questions of one command: by the server that is named or, on the database, in this process. It
// neither makes nor changes a database.
func withAnswerer(cmd *cobra.Command, env *environment, ask func(context.Context, *answerer) error) error {
	return answeredBy(cmd, env, onDatabase, ask)
}

// withWriter answers as withAnswerer does, and takes mutations too.
func withWriter(cmd *cobra.Command, env *environment, ask func(context.Context, *answerer) error) error {
	return answeredBy(cmd, env, onWritten, ask)
}

func answeredBy(cmd *cobra.Command, env *environment, open func(context.Context, *environment) (*answerer, error), ask func(context.Context, *answerer) error) error {
	at, err := env.serverAddress(cmd)
	if err != nil {
		return err
	}
	if at != "" {
		open = func(_ context.Context, env *environment) (*answerer, error) { return onServer(env, at) }
	}
	a, err := open(cmd.Context(), env)
	if err != nil {
		return err
	}
	return errors.Join(ask(cmd.Context(), a), a.close())
}

// serverAddress returns the server that a command asks: that of the flag, or that of the environment if no database is
// named. If it asks a database, it returns "".
func (env *environment) serverAddress(cmd *cobra.Command) (string, error) {
	switch {
	case env.server != "" && env.database != "":
		return "", usageError{cmd, errors.New("--server and --database name two places to ask: give one of them")}
	case env.server == "" && env.database == "":
		return env.getenv("LINCHPIN_URL"), nil
	}
	return env.server, nil
}

// onDatabase opens a database that exists, for questions alone. A person who has the database sees it all.
func onDatabase(ctx context.Context, env *environment) (*answerer, error) {
	return inThisProcess(ctx, env, app.OpenReading)
}

// onWritten opens a database for writes too, in the name of the person at the command line.
func onWritten(ctx context.Context, env *environment) (*answerer, error) {
	return inThisProcess(ctx, env, func(ctx context.Context, address string, log *slog.Logger) (*app.App, error) {
		return app.Open(ctx, address, log)
	})
}

func inThisProcess(ctx context.Context, env *environment, open func(context.Context, string, *slog.Logger) (*app.App, error)) (*answerer, error) {
	address, err := env.address()
	if err != nil {
		return nil, err
	}
	a, err := open(ctx, address, logFrom(env, slog.LevelWarn)) // what it asks itself is not worth a line
	if err != nil {
		return nil, err
	}
	limits := guard.Default
	limits.Cost, limits.QueryTime = math.MaxInt32, 24*time.Hour // nobody else waits
	handler, _, err := a.Handler(app.Serving{IsDev: true, Limits: limits})
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return &answerer{client: &http.Client{Transport: inProcess{handler, personName()}}, url: "http://localhost", close: a.Close}, nil
}

// onServer returns a server to ask, with the token of the environment or, if it has none, with the one that login got
// of this server. The token goes nowhere else.
func onServer(env *environment, address string) (*answerer, error) {
	u, err := serverURL(address)
	if err != nil {
		return nil, err
	}
	a := &answerer{
		client: &http.Client{Timeout: answerTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		url:    u.Scheme + "://" + u.Host, token: env.getenv("LINCHPIN_TOKEN"), close: func() error { return nil },
	}
	if a.token == "" && (env.getenv("HOME") != "" || env.getenv("XDG_CONFIG_HOME") != "") {
		kept, err := env.keptTokens()
		if err != nil {
			return nil, err
		}
		a.token = kept.Servers[a.url]
	}
	return a, nil
}

// serverURL reads the address of a server. It refuses one to which a token would go unencrypted.
func serverURL(text string) (*url.URL, error) {
	u, err := server.PublicURL(text)
	if err != nil {
		return nil, fmt.Errorf("the server %q: it is a scheme and a host, such as https://cmdb.example.org", text)
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" && u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("the server %q is on another machine, and what is sent there would not be encrypted: it begins with https://", text)
	}
	return u, nil
}

// ask asks a question and reads the answer's data into v. An error says what the answerer says.
func (a *answerer) ask(ctx context.Context, v any, question string, variables map[string]any) error {
	body, err := json.Marshal(map[string]any{"query": question, "variables": variables})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	response, err := a.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostOfAnswer))
	if err != nil {
		return fmt.Errorf("%s: %w", a.url, err)
	}
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	readable := json.Unmarshal(text, &answer)
	switch {
	case response.StatusCode == http.StatusUnauthorized:
		return a.unknown()
	case readable != nil || len(answer.Errors) == 0 && len(answer.Data) == 0:
		return fmt.Errorf("%s answers %s, and not as a server of Linchpin does", a.url, response.Status)
	case len(answer.Errors) > 0:
		said := make([]string, len(answer.Errors))
		for i, e := range answer.Errors {
			said[i] = e.Message
		}
		return errors.New(strings.Join(said, "; "))
	}
	return json.Unmarshal(answer.Data, v)
}

// unknown says that the server does not know who asks, and what would let it.
func (a *answerer) unknown() error {
	if a.token == "" {
		return fmt.Errorf("%s wants to know who asks: linchpin login %[1]s, or set LINCHPIN_TOKEN to an API token", a.url)
	}
	return fmt.Errorf("%s does not know the token, or no longer: linchpin login %[1]s, or set LINCHPIN_TOKEN to one that holds", a.url)
}

// inProcess has a handler answer requests, with no network between.
type inProcess struct {
	handler http.Handler
	actor   string
}

// RoundTrip answers a request.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	served := r.Clone(r.Context())
	served.Host, served.RequestURI, served.RemoteAddr = r.URL.Host, r.URL.RequestURI(), "127.0.0.1:0"
	served.Header.Set("Linchpin-Actor", p.actor)
	w := &written{status: http.StatusOK, header: http.Header{}}
	p.handler.ServeHTTP(w, served)
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// written is an answer that is kept in memory.
type written struct {
	status int
	header http.Header
	body   bytes.Buffer
}

// Header returns the headers to send.
func (w *written) Header() http.Header { return w.header }

// WriteHeader keeps the status.
func (w *written) WriteHeader(status int) { w.status = status }

// Write keeps what is written.
func (w *written) Write(b []byte) (int, error) { return w.body.Write(b) }
