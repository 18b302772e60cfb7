package main

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/ndjson"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

// importTime is longer than a server takes for an import.
const importTime = 20 * time.Minute

// importThere reads the source here, and has a server plan and write what it has.
func importThere(ctx context.Context, env *environment, source importer.Source, o importOptions) (plan *importer.Plan, result importer.Result, err error) {
	a, err := onServer(env, o.at)
	if err != nil {
		return nil, result, err
	}
	if err := a.hasClasses(ctx, source); err != nil {
		return nil, result, err
	}
	query := url.Values{"detail": {"notices"}, "apply": {strconv.FormatBool(!o.dryRun)}}
	if o.json {
		query.Set("detail", "steps")
	}
	if o.retireUpTo > 0 {
		query.Set("retireUpTo", strconv.Itoa(o.retireUpTo))
	}
	body, packed := io.Pipe()
	ctx, cancel := context.WithTimeout(ctx, importTime)
	defer cancel()
	sent := make(chan error, 1)
	safe.Go(newLog(env), "reading "+source.Name(), func() {
		err := errors.New("the source could not be read")
		defer func() {
			_ = packed.CloseWithError(err)
			sent <- err
		}()
		err = pack(ctx, packed, source, o, progressBar(env))
	})
	var done struct {
		Plan   *importer.Plan
		Result importer.Result
	}
	err = a.push(ctx, &done, "/ingest/"+url.PathEscape(source.Name())+"?"+query.Encode(), body)
	_ = body.Close()
	if failed := <-sent; failed != nil && !errors.Is(failed, io.ErrClosedPipe) {
		err = failed // the server only saw its body end
	}
	return done.Plan, done.Result, err
}

// hasClasses returns an error if a source declares classes that a server has not: nothing that is sent makes any.
func (a *answerer) hasClasses(ctx context.Context, source importer.Source) error {
	declared, err := importer.ClassesOf(ctx, source)
	if err != nil || len(declared) == 0 {
		return err
	}
	known, err := a.classes(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, class := range declared {
		if !slices.Contains(known, class.Code) {
			missing = append(missing, class.Code)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s has no class %s, which the files declare: make it by createCIClass, or import into the database itself", a.url, strings.Join(missing, ", "))
	}
	return nil
}

// pack writes what a source has as lines of JSON, gzipped.
func pack(ctx context.Context, w io.Writer, source importer.Source, o importOptions, bar func(importer.Progress)) error {
	run := ndjson.Run{Scope: o.scope, Kind: o.plan(nil).Kind}
	if scoped, ok := source.(importer.Scoped); ok && run == (ndjson.Run{}) {
		run.Scope, run.Kind = scoped.Run()
	}
	run.Kind = cmp.Or(run.Kind, domain.PartialRun)
	z := gzip.NewWriter(w)
	err := ndjson.Write(ctx, z, run, source, func(rows int) { bar(importer.Progress{Phase: importer.Reading, Done: rows}) })
	return errors.Join(err, z.Close())
}

// push posts a body to the server and reads its answer into v. A refusal by the guard of the source is an answer too.
func (a *answerer) push(ctx context.Context, v any, path string, body io.Reader) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("Expect", "100-continue") // so that the server refuses before anything is sent
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	client := *a.client
	client.Timeout = 0
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	switch response.StatusCode {
	case http.StatusOK, http.StatusConflict:
		d := json.NewDecoder(response.Body)
		d.UseNumber() // as the server writes them
		if err := d.Decode(v); err != nil {
			return fmt.Errorf("%s: the answer ends before it is whole: %w; the same import does the rest", a.url, err)
		}
		return nil
	case http.StatusUnauthorized:
		return a.unknown()
	}
	var refused struct{ Error string }
	text, err := io.ReadAll(io.LimitReader(response.Body, mostOfAnswer))
	if err == nil && json.Unmarshal(text, &refused) == nil && refused.Error != "" {
		return errors.New(refused.Error)
	}
	return fmt.Errorf("%s answers %s, and not as a server of Linchpin does", a.url, response.Status)
}
