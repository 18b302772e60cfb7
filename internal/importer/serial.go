package importer

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Serial says how new a part of a source is, such as a state of Terraform: the higher, the newer.
type Serial struct {
	Part, File string
	Number     int64
}

// Numbered is a source that says how new its parts are, once its rows have been read.
type Numbered interface{ Serials() []Serial }

// readSerials takes what a source says of its parts.
func (p *planner) readSerials(source Source) {
	n, ok := source.(Numbered)
	if !ok {
		return
	}
	p.plan.serials = map[string]Serial{}
	for _, s := range n.Serials() {
		p.plan.serials[s.Part] = s
	}
}

// checkSerials refuses a part that is older than what a run has applied of it.
func (p *planner) checkSerials(ctx context.Context) (err error) {
	if len(p.plan.serials) == 0 || p.options.TakeOlder {
		return nil
	}
	rows, err := p.tx.QueryContext(ctx, "SELECT part, serial FROM x_serial WHERE source = $1", p.source)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var f faults
	for rows.Next() {
		var part string
		var serial int64
		if err := rows.Scan(&part, &serial); err != nil {
			return err
		}
		if s, ok := p.plan.serials[part]; ok && s.Number < serial {
			f.say("%s has serial %d of %s, and serial %d was imported before: import the newer one, or take this one all the same by --older", s.File, s.Number, part, serial)
		}
	}
	if err := rows.Err(); err != nil || len(f) == 0 {
		return err
	}
	slices.Sort(f)
	return errs.New(errs.Stale, "%s", f)
}

// keepSerials notes how new what was applied is.
func (p *Plan) keepSerials(ctx context.Context, tx *store.Tx) error {
	for _, part := range slices.Sorted(maps.Keys(p.serials)) {
		if _, err := tx.ExecContext(ctx, "INSERT INTO x_serial (source, part, serial) VALUES ($1, $2, $3) ON CONFLICT (source, part) DO UPDATE SET serial = excluded.serial",
			p.Source, part, p.serials[part].Number); err != nil {
			return fmt.Errorf("keep the serial of %s: %w", part, err)
		}
	}
	return nil
}
