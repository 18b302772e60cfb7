package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// importHere imports into the database. A dry run only reads it, and plans for an empty one if it does not exist
// yet.
func importHere(ctx context.Context, env *environment, source importer.Source, o importOptions) (plan *importer.Plan, result importer.Result, err error) {
	address, err := env.address()
	if err != nil {
		return nil, result, err
	}
	s, done, err := o.open(ctx, env, address)
	if err != nil {
		return nil, result, err
	}
	defer func() { err = errors.Join(err, done()) }()
	bar := progressBar(env)
	options := o.plan(bar)
	if options.Classes, err = declare(ctx, env, s, source, o); err != nil {
		return nil, result, err
	}
	plan, err = importer.NewPlan(ctx, s, source, options)
	if err != nil || o.dryRun {
		return plan, result, err
	}
	if o.keepPlan {
		result.Run, err = plan.Keep(ctx, s)
		return plan, result, err
	}
	if result, err = plan.Apply(ctx, s, bar); err != nil {
		err = fmt.Errorf("%w; %d batches were written until then: the same import does the rest", err, result.Batches)
	}
	return plan, result, err
}

// open opens the database, for a dry run to be read alone, and returns what closes it.
func (o importOptions) open(ctx context.Context, env *environment, address string) (*store.Store, func() error, error) {
	clean := func() error { return nil }
	if o.dryRun {
		s, err := openBegun(ctx, address)
		if err != nil {
			return nil, nil, err
		}
		if s != nil {
			return s, s.Close, nil
		}
		_, _ = fmt.Fprintf(env.stderr, "linchpin: there is nothing at %s yet: this is the plan for an empty database\n", store.Redact(address))
		folder, err := os.MkdirTemp("", "linchpin-dry-run-")
		if err != nil {
			return nil, nil, err
		}
		clean = func() error { return os.RemoveAll(folder) }
		address = "sqlite:" + filepath.Join(folder, "empty.db")
	}
	a, err := app.Open(ctx, address, newLog(env))
	if err != nil {
		return nil, nil, errors.Join(err, clean())
	}
	return a.Store, func() error { return errors.Join(a.Close(), clean()) }, nil
}

// openBegun opens a database for reading. If it has not been begun, so that there are no classes yet, it returns nil.
func openBegun(ctx context.Context, address string) (*store.Store, error) {
	if path, isFile := strings.CutPrefix(address, "sqlite:"); isFile && path != "" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	s, err := store.OpenReading(ctx, address)
	if err != nil {
		return nil, err
	}
	if isBegun, err := s.Read.CIClass.Query().Exist(ctx); err != nil || !isBegun {
		return nil, errors.Join(store.Translate(err), s.Close())
	}
	return s, nil
}

// declare makes the classes that a source says its CIs are of. In a dry run it returns them instead, so that they are
// taken for given.
func declare(ctx context.Context, env *environment, s *store.Store, source importer.Source, o importOptions) (supposed []cmdb.CreateCIClass, err error) {
	classes, err := importer.ClassesOf(ctx, source)
	if err != nil || o.dryRun {
		return classes, err
	}
	created, changed, err := importer.Declare(ctx, s, cmdb.New(s), classes)
	for _, did := range []struct {
		what  string
		codes []string
	}{{"created", created}, {"changed", changed}} {
		if len(did.codes) > 0 {
			_, _ = fmt.Fprintf(env.stderr, "classes %s: %s\n", did.what, strings.Join(did.codes, ", "))
		}
	}
	return nil, err
}
