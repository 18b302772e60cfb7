package server

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/ndjson"
)

// ingestMedia is what is pushed. Pages of other sites cannot post it without asking first.
const ingestMedia = "application/x-ndjson"

const (
	ingestPatience = 10 * time.Minute // for a body to come and to be written
	ingestBody     = 256 << 20        // bytes, unpacked
	ingestsAtOnce  = 2
	ingestNotices  = 1000 // that an answer tells
)

// ingestAnswer is what a push is answered.
type ingestAnswer struct {
	Run     int64             `json:"run,omitempty"`
	Source  string            `json:"source"`
	Scope   string            `json:"scope,omitempty"`
	Kind    domain.RunKind    `json:"kind"`
	State   domain.RunState   `json:"state"`
	Planned importer.Summary  `json:"planned"`
	Written importer.Summary  `json:"written"`
	Refused string            `json:"refused,omitempty"`
	Notices []importer.Notice `json:"notices"`
	// Left counts the notices that are not told.
	Left int `json:"noticesLeft,omitempty"`
}

// ingestDetail is how much of a plan is told, in place of ingestAnswer: as linchpin import --json tells it.
type ingestDetail struct {
	Plan   *importer.Plan  `json:"plan"`
	Result importer.Result `json:"result"`
}

// The details that may be asked for.
const (
	allNotices = "notices"
	allSteps   = "steps"
)

// ingest takes what programs push: POST /ingest/SOURCE with lines of JSON (package ndjson), gzipped if Content-Encoding
// says so. The answer comes once all is written; with ?apply=false it is the plan, and nothing is written; with
// ?detail=notices or steps it is the whole plan and its result. ?retireUpTo=N lets so many records go missing, whatever
// the guard says: admins alone may lift it. An actor that may not import from the source is refused before the body is
// read.
type ingest struct {
	config Config
	room   chan struct{}
}

func newIngest(c Config) http.Handler { return &ingest{c, make(chan struct{}, ingestsAtOnce)} }

func (i *ingest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", varies)
	source := r.PathValue("source")
	if _, err := auth.RequireOf(r.Context(), "import.apply", source); err != nil {
		i.fail(w, err)
		return
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != ingestMedia {
		w.Header().Set("Accept-Post", ingestMedia)
		i.fail(w, errs.New(errs.BadUserInput, "Content-Type is %q: lines of JSON are %s", r.Header.Get("Content-Type"), ingestMedia))
		return
	}
	select {
	case i.room <- struct{}{}:
		defer func() { <-i.room }()
	default:
		w.Header().Set("Retry-After", "5")
		i.fail(w, errs.New(errs.Unavailable, "%d imports are being written: try again in a few seconds", ingestsAtOnce))
		return
	}
	control := http.NewResponseController(w)
	end := time.Now().Add(ingestPatience)
	if err := errors.Join(control.SetReadDeadline(end), control.SetWriteDeadline(end)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		i.fail(w, err)
		return
	}
	answer, err := i.run(r, source)
	if err != nil {
		i.fail(w, err)
		return
	}
	status := http.StatusOK
	if answer.Plan.Refused != "" {
		status = http.StatusConflict
	}
	switch r.URL.Query().Get("detail") {
	case allSteps:
		i.write(w, status, answer)
	case allNotices:
		answer.Plan.Steps = nil
		i.write(w, status, answer)
	default:
		i.write(w, status, answer.brief())
	}
}

// pushed is how a push is to be taken.
type pushed struct {
	applies    bool
	retireUpTo int
}

// pushedBy reads how a push is to be taken.
func pushedBy(r *http.Request) (p pushed, err error) {
	query := r.URL.Query()
	switch applies := query.Get("apply"); applies {
	case "", "true":
		p.applies = true
	case "false":
	default:
		return p, errs.New(errs.BadUserInput, "apply is %q: it is true or false", applies)
	}
	if detail := query.Get("detail"); detail != "" && detail != allNotices && detail != allSteps {
		return p, errs.New(errs.BadUserInput, "detail is %q: it is %s or %s", detail, allNotices, allSteps)
	}
	if n := query.Get("retireUpTo"); n != "" {
		if p.retireUpTo, err = strconv.Atoi(n); err != nil || p.retireUpTo < 0 {
			return p, errs.New(errs.BadUserInput, "retireUpTo is %q: it is a number of records", n)
		}
		if actor, _ := auth.From(r.Context()); !actor.Has(auth.Admin) {
			return p, errs.New(errs.Forbidden, "retireUpTo lifts the guard of the source, which needs ADMIN")
		}
	}
	return p, nil
}

// run plans what the body says, and applies it if that is asked for.
func (i *ingest) run(r *http.Request, source string) (done ingestDetail, err error) {
	how, err := pushedBy(r)
	if err != nil {
		return done, err
	}
	body, err := unpacked(r)
	if err != nil {
		return done, err
	}
	rows, err := ndjson.New(source, "body", body)
	if err != nil {
		return done, errs.New(errs.BadUserInput, "%s", err)
	}
	done.Plan, err = importer.NewPlan(r.Context(), i.config.Store, rows, importer.Options{RetireUpTo: how.retireUpTo})
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) || errors.Is(err, errTooLarge) {
		return done, errs.New(errs.BadUserInput, "the body has more than %d bytes: push it in parts, or write a file and import that", ingestBody)
	}
	if err != nil || !how.applies {
		return done, err
	}
	done.Result, err = done.Plan.Apply(r.Context(), i.config.Store, nil)
	return done, err
}

// brief returns the answer for a program that asks for no details.
func (d ingestDetail) brief() ingestAnswer {
	p := d.Plan
	a := ingestAnswer{
		Run: d.Result.Run, Source: p.Source, Scope: p.Scope, Kind: p.Kind, State: domain.RunPlanned, Planned: p.Summary, Written: d.Result.Written,
		Refused: p.Refused, Notices: slices.Concat([]importer.Notice{}, p.Notices, d.Result.Conflicts),
	}
	switch {
	case a.Written == nil:
		a.Written = importer.Summary{}
	case p.Refused != "":
		a.State = domain.RunRefused
	default:
		a.State = domain.RunApplied
	}
	if n := len(a.Notices); n > ingestNotices {
		a.Notices, a.Left = a.Notices[:ingestNotices], n-ingestNotices
	}
	return a
}

var errTooLarge = errors.New("the body is too large")

// unpacked returns the body as it was before it was packed, which ends with errTooLarge if it is too large.
func unpacked(r *http.Request) (io.Reader, error) {
	packed := http.MaxBytesReader(nil, r.Body, ingestBody)
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		return packed, nil
	case "gzip":
		unpacked, err := gzip.NewReader(packed)
		if err != nil {
			return nil, errs.New(errs.BadUserInput, "the body is not gzipped as Content-Encoding says: %s", err)
		}
		return &bounded{unpacked, ingestBody}, nil
	default:
		return nil, errs.New(errs.BadUserInput, "Content-Encoding is %q: gzip, or none", encoding)
	}
}

// bounded reads so many bytes and no more.
type bounded struct {
	from io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

var ingestStatus = map[errs.Code]int{
	errs.Unauthenticated: http.StatusUnauthorized, errs.Forbidden: http.StatusForbidden, errs.BadUserInput: http.StatusBadRequest,
	errs.Unavailable: http.StatusServiceUnavailable, errs.Timeout: http.StatusServiceUnavailable,
}

func (i *ingest) fail(w http.ResponseWriter, err error) {
	code := errs.CodeOf(err)
	status, ok := ingestStatus[code]
	message := err.Error()
	if !ok {
		i.config.Log.Error("an import failed", "error", err)
		status, message = http.StatusInternalServerError, "the import failed: it may have written a part, and the same import does the rest"
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	i.write(w, status, struct {
		Code  errs.Code `json:"code"`
		Error string    `json:"error"`
	}{code, message})
}

func (i *ingest) write(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", plainJSON+utf8JSON)
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		i.config.Log.Debug("an answer to a push did not arrive", "error", fmt.Sprint(err))
	}
}
