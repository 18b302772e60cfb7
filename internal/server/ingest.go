package server

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
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

// ingest takes what programs push: POST /ingest/SOURCE with lines of JSON (package ndjson), gzipped if Content-Encoding
// says so. The answer comes once all is written; with ?apply=false it is the plan, and nothing is written. An actor
// that may not import from the source is refused before the body is read.
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
	if answer.Refused != "" {
		status = http.StatusConflict
	}
	i.write(w, status, answer)
}

// run plans what the body says, and applies it if that is asked for.
func (i *ingest) run(r *http.Request, source string) (answer ingestAnswer, err error) {
	applies := r.URL.Query().Get("apply")
	if applies != "" && applies != "false" && applies != "true" {
		return answer, errs.New(errs.BadUserInput, "apply is %q: it is true or false", applies)
	}
	body, err := unpacked(r)
	if err != nil {
		return answer, err
	}
	rows, err := ndjson.New(source, "body", body)
	if err != nil {
		return answer, errs.New(errs.BadUserInput, "%s", err)
	}
	plan, err := importer.NewPlan(r.Context(), i.config.Store, rows, importer.Options{})
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) || errors.Is(err, errTooLarge) {
		return answer, errs.New(errs.BadUserInput, "the body has more than %d bytes: push it in parts, or write a file and import that", ingestBody)
	}
	if err != nil {
		return answer, err
	}
	answer = ingestAnswer{Source: source, Scope: plan.Scope, Kind: plan.Kind, State: domain.RunPlanned, Planned: plan.Summary, Refused: plan.Refused, Notices: plan.Notices, Written: importer.Summary{}}
	if applies != "false" {
		result, err := plan.Apply(r.Context(), i.config.Store, nil)
		if err != nil {
			return answer, err
		}
		answer.Run, answer.Written, answer.State = result.Run, result.Written, domain.RunApplied
		if answer.Refused != "" {
			answer.State = domain.RunRefused
		}
		answer.Notices = append(answer.Notices, result.Conflicts...)
	}
	if n := len(answer.Notices); n > ingestNotices {
		answer.Notices, answer.Left = answer.Notices[:ingestNotices], n-ingestNotices
	}
	return answer, nil
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
