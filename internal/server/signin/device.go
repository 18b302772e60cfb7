package signin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
)

// DevicePath is the page on which people type the code of a command line.
const DevicePath = "/auth/device"

// DevicePause is how long a command line waits before it asks again whether it has been let in.
const DevicePause = 2 * time.Second

// devices adds what lets command lines in: the page where a person types the code, and what the command line asks,
// spelled as RFC 8628 spells it.
func (s site) devices(mux *http.ServeMux) {
	mux.HandleFunc("GET "+DevicePath, s.askCode)
	mux.HandleFunc("POST "+DevicePath, s.showDevice)
	mux.HandleFunc("POST "+DevicePath+"/answer", s.answerDevice)
	mux.HandleFunc("POST "+DevicePath+"/begin", s.beginDevice)
	mux.HandleFunc("POST "+DevicePath+"/token", s.pollDevice)
	mux.HandleFunc("POST "+DevicePath+"/end", s.endDevice)
}

// beginDevice tells a command line the code that a person types.
func (s site) beginDevice(w http.ResponseWriter, r *http.Request) {
	f, ok := form(w, r)
	if !ok {
		return
	}
	d := identity.Device{Host: f.Get("host"), Network: network(r.RemoteAddr), Roles: auth.Roles(strings.Join(f["role"], ","))}
	asked, err := s.doors.AskIn(r.Context(), d)
	tooMany := identity.TooManyError{}
	switch {
	case errors.As(err, &tooMany):
		w.Header().Set("Retry-After", strconv.Itoa(int(tooMany.Wait.Seconds())+1))
		s.say(w, http.StatusTooManyRequests, map[string]any{"error": "slow_down", "error_description": err.Error()})
	case errs.CodeOf(err).Mendable():
		s.say(w, http.StatusBadRequest, map[string]any{"error": "invalid_request", "error_description": said(err)})
	case err != nil:
		s.failed(w, err)
	default:
		s.say(w, http.StatusOK, map[string]any{
			"device_code": asked.Token, "user_code": asked.Code[:4] + "-" + asked.Code[4:], "verification_uri": DevicePath,
			"expires_in": int(identity.DeviceWindow.Seconds()), "interval": int(DevicePause.Seconds()),
		})
	}
}

// pollDevice tells a command line whether it has been let in.
func (s site) pollDevice(w http.ResponseWriter, r *http.Request) {
	f, ok := form(w, r)
	if !ok {
		return
	}
	token := f.Get("device_code")
	actor, isIn, isWaiting, err := s.doors.IsIn(r.Context(), token)
	switch {
	case err != nil:
		s.failed(w, err)
	case isWaiting:
		s.say(w, http.StatusBadRequest, map[string]any{"error": "authorization_pending"})
	case !isIn:
		s.say(w, http.StatusBadRequest, map[string]any{"error": "expired_token"})
	default:
		s.say(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(time.Until(actor.Pass.Expires).Seconds())})
	}
}

// endDevice ends the token that a command line brings.
func (s site) endDevice(w http.ResponseWriter, r *http.Request) {
	switch err := s.doors.EndOwnToken(r.Context()); {
	case errs.CodeOf(err) == errs.Unauthenticated && err != nil:
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.say(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
	case err != nil:
		s.failed(w, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s site) say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.log.Warn("an answer was not written", "error", err)
	}
}

// askCode shows the page where a person types the code. No link carries it: a link would let whoever sends one choose
// whom it lets in.
func (s site) askCode(w http.ResponseWriter, r *http.Request) {
	if known(w, r) {
		s.show(w, http.StatusOK, "device.html", page{})
	}
}

// known reports whether a person asks who has signed in not long ago. All others it leads to where they do.
func known(w http.ResponseWriter, r *http.Request) bool {
	actor, ok := auth.From(r.Context())
	if ok && actor.Via == domain.ViaSession && actor.IsFresh(time.Now()) {
		return true
	}
	http.Redirect(w, r, "/auth/sign-in?return="+url.QueryEscape(DevicePath), http.StatusSeeOther)
	return false
}

// showDevice shows which command line waits under a code.
func (s site) showDevice(w http.ResponseWriter, r *http.Request) {
	f, ok := form(w, r)
	if !ok || !known(w, r) {
		return
	}
	d, err := s.doors.Device(r.Context(), f.Get("code"))
	if err != nil {
		s.refuseDevice(w, err)
		return
	}
	actor, _ := auth.From(r.Context())
	p := page{Code: f.Get("code"), Name: actor.Name, Host: d.Host, Network: d.Network, At: d.AskedAt.UTC().Format("15:04:05 UTC")}
	for _, role := range d.Roles {
		p.Roles = append(p.Roles, string(role))
	}
	s.show(w, http.StatusOK, "device-answer.html", p)
}

// answerDevice lets a command line in, or refuses it.
func (s site) answerDevice(w http.ResponseWriter, r *http.Request) {
	f, ok := form(w, r)
	if !ok || !known(w, r) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), signInFor)
	defer cancel()
	p := page{}
	var err error
	if f.Get("answer") == "allow" {
		token, failed := s.doors.LetIn(ctx, f.Get("code"))
		if err = failed; err == nil {
			p.Name, p.At = token.Name, token.ExpiresAt.UTC().Format(time.DateOnly)
		}
	} else {
		err = s.doors.Refuse(ctx, f.Get("code"))
	}
	if err != nil {
		s.refuseDevice(w, err)
		return
	}
	s.log.Info("a command line was answered", "event", "sign_in", "method", "DEVICE", "isIn", p.Name != "")
	s.show(w, http.StatusOK, "device-done.html", p)
}

func (s site) refuseDevice(w http.ResponseWriter, err error) {
	tooMany := identity.TooManyError{}
	switch {
	case errors.As(err, &tooMany):
		w.Header().Set("Retry-After", strconv.Itoa(int(tooMany.Wait.Seconds())+1))
		s.show(w, http.StatusTooManyRequests, "device.html", page{Problem: "Too many wrong codes. Wait " + tooMany.Wait.Round(time.Second).String() + ", then try again."})
	case errors.Is(err, identity.ErrNoDevice):
		s.show(w, http.StatusNotFound, "device.html", page{Problem: said(err)})
	case errs.CodeOf(err).Mendable() || errs.CodeOf(err) == errs.Forbidden:
		s.show(w, http.StatusForbidden, "device.html", page{Problem: said(err)})
	default:
		s.failed(w, err)
	}
}

// form reads a form, or says that it cannot be read.
func form(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read: it has at most 8 KiB", http.StatusBadRequest)
		return nil, false
	}
	return r.PostForm, true
}
