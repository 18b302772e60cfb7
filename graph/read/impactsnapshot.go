package read

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	practice "github.com/linchpin-cmdb/linchpin/internal/practice/incident"
)

// ImpactSnapshot is what the engine computed at a moment.
type ImpactSnapshot struct {
	Revision                                     int64
	AffectedCount, ServiceCount, RestrictedCount int
	Services                                     []*ImpactedRecord
}

// ImpactedRecord is a CI in the state it was found in.
type ImpactedRecord struct {
	Name, State string
	id          ident.ID
	in          *batch[*ImpactedRecord]
}

// Ci returns the CI as it is now.
func (c *ImpactedRecord) Ci(ctx context.Context) (*CI, error) {
	return one(ctx, c.in, c, "ci", func(c *ImpactedRecord) *ident.ID { return &c.id }, loadCIs)
}

// snapshotAt shows what the engine computed at a moment in the life of each incident of the batch.
func (i *Incident) snapshotAt(ctx context.Context, moment string, of func(*Incident) *domain.ImpactSnapshot) (*ImpactSnapshot, error) {
	all, err := once(i.in, moment, func() (map[*Incident]*ImpactSnapshot, error) {
		hidden, err := i.in.reader.hidden(ctx)
		if err != nil {
			return nil, err
		}
		b, shown := newBatch[*ImpactedRecord](i.in.reader, nil), map[*Incident]*ImpactSnapshot{}
		for _, row := range i.in.Rows {
			s := of(row)
			if s == nil {
				continue
			}
			from := len(b.Rows)
			restricted := 0
			for _, c := range s.Services {
				if hidden[c.CI] {
					restricted++
					continue
				}
				b.Rows = append(b.Rows, &ImpactedRecord{c.Name, c.State, c.CI, b})
			}
			shown[row] = &ImpactSnapshot{s.Revision, s.Affected, max(s.ServiceCount, len(s.Services)), restricted, slices.Clone(b.Rows[from:])}
		}
		return shown, nil
	})
	return all[i], err
}

// ImpactAtOpening returns what was computed when the incident was opened.
func (i *Incident) ImpactAtOpening(ctx context.Context) (*ImpactSnapshot, error) {
	return i.snapshotAt(ctx, "impact at opening", func(i *Incident) *domain.ImpactSnapshot { return i.Incident.ImpactAtOpening })
}

// ImpactAtResolution returns what was computed when the incident was resolved.
func (i *Incident) ImpactAtResolution(ctx context.Context) (*ImpactSnapshot, error) {
	return i.snapshotAt(ctx, "impact at resolution", func(i *Incident) *domain.ImpactSnapshot { return i.Incident.ImpactAtResolution })
}

// ImpactDifference is what differs between the snapshots of an incident.
type ImpactDifference struct {
	AffectedCountChange, RestrictedCount int
	Services                             []*ImpactDifferenceService
	IsPartial                            bool
}

// ImpactDifferenceService is a service that fared otherwise at resolution than at opening.
type ImpactDifferenceService struct {
	Name     string
	From, To *string
	id       ident.ID
	in       *batch[*ImpactDifferenceService]
}

// Ci returns the service's CI as it is now.
func (s *ImpactDifferenceService) Ci(ctx context.Context) (*CI, error) {
	return one(ctx, s.in, s, "ci", func(s *ImpactDifferenceService) *ident.ID { return &s.id }, loadCIs)
}

// ImpactDifference returns what differs between what was computed at opening and at resolution. If either is missing,
// it returns nil.
func (i *Incident) ImpactDifference(ctx context.Context) (*ImpactDifference, error) {
	all, err := once(i.in, "impact difference", func() (map[*Incident]*ImpactDifference, error) {
		hidden, err := i.in.reader.hidden(ctx)
		if err != nil {
			return nil, err
		}
		b, shown := newBatch[*ImpactDifferenceService](i.in.reader, nil), map[*Incident]*ImpactDifference{}
		for _, row := range i.in.Rows {
			opening, resolution := row.Incident.ImpactAtOpening, row.Incident.ImpactAtResolution
			if opening == nil || resolution == nil {
				continue
			}
			differences, isPartial := practice.Differences(opening, resolution)
			d := &ImpactDifference{AffectedCountChange: resolution.Affected - opening.Affected, IsPartial: isPartial, Services: []*ImpactDifferenceService{}}
			for _, s := range differences {
				if hidden[s.CI] {
					d.RestrictedCount++
					continue
				}
				d.Services = append(d.Services, &ImpactDifferenceService{s.Name, stateOrNil(s.Before), stateOrNil(s.After), s.CI, b})
			}
			b.Rows = append(b.Rows, d.Services...)
			shown[row] = d
		}
		return shown, nil
	})
	return all[i], err
}

func stateOrNil(state string) *string {
	if state == "" {
		return nil
	}
	return &state
}
