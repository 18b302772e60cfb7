// Package source owns how far the sources of imports are believed, and what becomes of the records that they lose.
package source

import (
	"context"
	"reflect"
	"strconv"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/source"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Practice holds the verbs. The records they return belong to a closed transaction: read their fields only.
type Practice struct{ store *store.Store }

// New makes the practice over a database.
func New(s *store.Store) *Practice { return &Practice{s} }

const (
	mostPriority   = 1_000_000
	mostRules      = 200
	mostKeySpaces  = 50
	longestTime    = 366 * 24 * time.Hour
	mostGraceRuns  = 1_000
	longestFieldID = 200
)

// Set is what a source is to be. A nil field stays, or is the default of a source that nobody has described.
type Set struct {
	Code            string
	ExpectedVersion *int
	Priority        *int
	FieldPriorities []domain.FieldPriority
	StaleAfter      *time.Duration // 0: never
	RetirePolicy    *domain.RetirePolicy
	GraceRuns       *int
	GraceTime       *time.Duration
	GuardPercent    *int
	KeySpaces       []string
}

// Set describes a source, or changes what it is. The next run of any source takes it in.
func (p *Practice) Set(ctx context.Context, in Set) (*ent.Source, error) {
	return auth.Write(ctx, p.store, "source.set", func(ctx context.Context, tx *store.Tx) (*ent.Source, error) {
		var f form.Form
		code := f.Text("code", in.Code, 1, valid.LongestName)
		was, err := tx.Source.Query().Where(source.Code(code)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			was = &ent.Source{
				Code: code, Priority: domain.SourcePriority, RetirePolicy: domain.Keep, GraceRuns: domain.GraceRuns,
				GraceMinutes: domain.GraceMinutes, GuardPercent: domain.GuardPercent,
			}
		case err != nil:
			return nil, err
		}
		if err := valid.Stale(in.ExpectedVersion, was.Version); err != nil {
			return nil, err
		}
		next := in.onto(*was, &f)
		if err := f.Err(); err != nil {
			return nil, err
		}
		switch {
		case was.ID == 0:
			return tx.Source.Create().SetCode(code).SetPriority(next.Priority).SetFieldPriorities(next.FieldPriorities).SetStaleAfterMinutes(next.StaleAfterMinutes).
				SetRetirePolicy(next.RetirePolicy).SetGraceRuns(next.GraceRuns).SetGraceMinutes(next.GraceMinutes).SetGuardPercent(next.GuardPercent).
				SetKeySpaces(next.KeySpaces).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
		case same(was, &next):
			return was, nil
		}
		return tx.Source.UpdateOne(was).SetPriority(next.Priority).SetFieldPriorities(next.FieldPriorities).SetStaleAfterMinutes(next.StaleAfterMinutes).
			SetRetirePolicy(next.RetirePolicy).SetGraceRuns(next.GraceRuns).SetGraceMinutes(next.GraceMinutes).SetGuardPercent(next.GuardPercent).
			SetKeySpaces(next.KeySpaces).AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

func same(a, b *ent.Source) bool {
	return a.Priority == b.Priority && a.StaleAfterMinutes == b.StaleAfterMinutes && a.RetirePolicy == b.RetirePolicy && a.GraceRuns == b.GraceRuns &&
		a.GraceMinutes == b.GraceMinutes && a.GuardPercent == b.GuardPercent && reflect.DeepEqual(a.FieldPriorities, b.FieldPriorities) && reflect.DeepEqual(a.KeySpaces, b.KeySpaces)
}

// onto returns a source as the input changes it.
func (in Set) onto(s ent.Source, f *form.Form) ent.Source {
	if in.Priority != nil {
		s.Priority = f.Number("priority", *in.Priority, 0, mostPriority)
	}
	if in.FieldPriorities != nil && f.Most("fieldPriorities", len(in.FieldPriorities), mostRules) {
		s.FieldPriorities = in.FieldPriorities
		for i, r := range in.FieldPriorities {
			at := func(name string) string { return "fieldPriorities." + strconv.Itoa(i) + "." + name }
			f.Text(at("field"), r.Field, 1, longestFieldID)
			f.Number(at("priority"), r.Priority, 0, mostPriority)
		}
	}
	s.StaleAfterMinutes = minutes(f, "staleAfter", in.StaleAfter, s.StaleAfterMinutes)
	s.GraceMinutes = minutes(f, "graceTime", in.GraceTime, s.GraceMinutes)
	if in.RetirePolicy != nil {
		s.RetirePolicy = form.OneOf(f, "retirePolicy", *in.RetirePolicy)
	}
	if in.GraceRuns != nil {
		s.GraceRuns = f.Number("graceRuns", *in.GraceRuns, 0, mostGraceRuns)
	}
	if in.GuardPercent != nil {
		s.GuardPercent = f.Number("guardPercent", *in.GuardPercent, 0, 100)
	}
	if in.KeySpaces != nil && f.Most("keySpaces", len(in.KeySpaces), mostKeySpaces) {
		s.KeySpaces = in.KeySpaces
		for i, space := range in.KeySpaces {
			f.Text("keySpaces."+strconv.Itoa(i), space, 1, valid.LongestName)
		}
	}
	return s
}

func minutes(f *form.Form, field string, given *time.Duration, was int) int {
	if given == nil {
		return was
	}
	if *given < 0 || *given > longestTime || *given%time.Minute != 0 {
		f.Fault(errs.New(errs.Invalid, "%s is whole minutes, from 0 to %s", *given, longestTime), field)
	}
	return int(*given / time.Minute)
}
