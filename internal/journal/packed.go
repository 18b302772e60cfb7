package journal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Facts of CIs and relationships leave the database packed: two numbers a row, many rows to a block, so that neither
// the driver nor the network counts columns. Blocks are ranges of ids, read over several connections.

const (
	connections = 4
	blockIDs    = 50_000
	groupIDs    = 10_000 // of a block of groups, which are not packed

	number  = 1<<48 - 1 // of an id, its kind left out
	unknown = 255       // an enumeration's value that the program does not know
)

// word is the row of a CI or relationship in two numbers.
type word struct{ high, low uint64 }

// packedCIs and packedRelationships are the two numbers as SQL.
var (
	packedCIs = [2]string{
		fmt.Sprintf("((id & %d) << 24) | (class_id & %[1]d)", int64(number)),
		fmt.Sprintf("(coalesce(tier_id & %d, 0) << 16) | (%s << 8) | (CASE WHEN service_kind IS NULL THEN 0 ELSE 2 END) | (CASE lifecycle WHEN '%s' THEN 1 WHEN '%s' THEN 4 WHEN '%s' THEN 4 ELSE 0 END)",
			int64(number), coded("environment", domain.Environment("").Values(), topology.ParseEnvironment), domain.Retired, domain.Planned, domain.Build),
	}
	packedRelationships = [2]string{
		fmt.Sprintf("((source_id & %d) << 32) | (target_id & %[1]d)", int64(number)),
		fmt.Sprintf("((id & %d) << 24) | ((type_id & %[1]d) << 8) | (CASE WHEN strength IS NULL THEN 0 ELSE %s END)",
			int64(number), coded("strength", domain.Strength("").Values(), topology.ParseStrength)),
	}
)

// coded returns the SQL that turns an enumeration into the number that the topology has for it.
func coded[E ~uint8](column string, values []string, parse func(string) (E, bool)) string {
	text := "(CASE " + column
	for _, v := range values {
		e, ok := parse(v)
		if !ok {
			e = unknown
		}
		text += fmt.Sprintf(" WHEN '%s' THEN %d", v, e)
	}
	return fmt.Sprintf("%s ELSE %d END)", text, unknown)
}

// block returns the query for the rows between two ids.
func block(table string, packed [2]string, isPostgres bool) string {
	row := fmt.Sprintf("group_concat((%s) || ' ' || (%s), ' ')", packed[0], packed[1])
	if isPostgres {
		row = fmt.Sprintf("string_agg(int8send(%s) || int8send(%s), ''::bytea)", packed[0], packed[1])
	}
	return fmt.Sprintf("SELECT %s FROM %s WHERE id >= $1 AND id < $2", row, table)
}

// unpack visits the rows of a block.
func unpack(text []byte, isPostgres bool, visit func(word) error) error {
	if isPostgres {
		for ; len(text) >= 16; text = text[16:] {
			if err := visit(word{binary.BigEndian.Uint64(text), binary.BigEndian.Uint64(text[8:])}); err != nil {
				return err
			}
		}
		return nil
	}
	var w word
	rest, isLow := string(text), false
	for rest != "" {
		digits, after, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return err
		}
		if rest = after; !isLow {
			w.high, isLow = n, true
			continue
		}
		w.low, isLow = n, false
		if err := visit(w); err != nil {
			return err
		}
	}
	return nil
}

func (w word) ci() (topology.CI, error) {
	f := topology.CI{
		ID: ident.New(ident.CI, int64(w.high>>24)), Class: ident.New(ident.CIClass, int64(w.high&(1<<24-1))),
		Environment: topology.Environment(w.low >> 8 & 0xff), IsService: w.low&2 != 0, IsPlanned: w.low&4 != 0, IsRetired: w.low&1 != 0,
	}
	if tier := int64(w.low >> 16); tier != 0 {
		f.Tier = ident.New(ident.ServiceTier, tier)
	}
	if f.Environment == unknown {
		return f, fmt.Errorf("the environment of %v is unknown to this program: start the newest linchpin that has written to the database", f.ID)
	}
	return f, nil
}

func (w word) relationship() (topology.Relationship, error) {
	f := topology.Relationship{
		ID: ident.New(ident.Relationship, int64(w.low>>24)), Type: ident.New(ident.RelationshipType, int64(w.low>>8&0xffff)),
		Source: ident.New(ident.CI, int64(w.high>>32)), Target: ident.New(ident.CI, int64(w.high&(1<<32-1))), Strength: topology.Strength(w.low & 0xff),
	}
	if f.Strength == unknown {
		return f, fmt.Errorf("the strength of %v is unknown to this program: start the newest linchpin that has written to the database", f.ID)
	}
	return f, nil
}

// limits are the highest numbers that fit into a word; the topology takes no more.
var limits = []struct {
	table string
	most  int64
}{{"ci", 1<<31 - 1}, {"relationship", 1<<39 - 1}, {"ci_class", 1<<24 - 1}, {"relationship_type", 1<<16 - 1}, {"service_tier", 1<<40 - 1}}

// bounds returns the highest id of each of the tables that are read in blocks.
func bounds(ctx context.Context, from *store.Snapshot) (highest map[string]ident.ID, err error) {
	highest = map[string]ident.ID{}
	for _, l := range append(limits, struct {
		table string
		most  int64
	}{"dependency_group", number}) {
		var id int64
		if err := from.Row(ctx, "SELECT coalesce(max(id), 0) FROM "+l.table, &id); err != nil {
			return nil, err
		}
		highest[l.table] = ident.ID(id)
		if n := ident.ID(id).Number(); n > l.most {
			return nil, fmt.Errorf("%v is number %d of %s: the graph takes at most %d", ident.ID(id), n, l.table, l.most)
		}
	}
	return highest, nil
}

// readBlocks reads CIs, relationships and groups, in the order of their ids but for those within a block.
func (f *Feed) readBlocks(ctx context.Context, from *store.Snapshot, b *topology.Batch) error {
	isPostgres := f.store.IsPostgres()
	highest, err := bounds(ctx, from)
	if err != nil {
		return err
	}
	count := func(table string, size int64) int { return int((highest[table].Number() + size) / size) }
	cis := make([][]topology.CI, count("ci", f.blockIDs))
	relationships := make([][]topology.Relationship, count("relationship", f.blockIDs))
	groups := make([][]topology.Group, count("dependency_group", groupIDs))
	ciBlock, relationshipBlock := block("ci", packedCIs, isPostgres), block("relationship", packedRelationships, isPostgres)
	err = from.Read(ctx, len(cis)+len(relationships)+len(groups), func(ctx context.Context, tx *sql.Tx, i int) (err error) {
		if i < len(relationships) {
			relationships[i], err = readBlock(ctx, tx, relationshipBlock, f.idsOf(ident.Relationship, i), isPostgres, word.relationship)
			return err
		}
		if i -= len(relationships); i < len(cis) {
			cis[i], err = readBlock(ctx, tx, ciBlock, f.idsOf(ident.CI, i), isPostgres, word.ci)
			return err
		}
		i -= len(cis)
		groups[i], err = readGroups(ctx, tx, i)
		return err
	})
	b.CIs, b.Relationships, b.Groups = slices.Concat(cis...), slices.Concat(relationships...), slices.Concat(groups...)
	return err
}

// idsOf returns the first id of the i-th block of a kind, and the first one after it.
func (f *Feed) idsOf(kind ident.Kind, i int) [2]int64 {
	from := int64(ident.New(kind, int64(i)*f.blockIDs))
	return [2]int64{from, from + f.blockIDs}
}

func readBlock[F any](ctx context.Context, tx *sql.Tx, query string, ids [2]int64, isPostgres bool, fact func(word) (F, error)) ([]F, error) {
	var text []byte
	if err := tx.QueryRowContext(ctx, query, ids[0], ids[1]).Scan(&text); err != nil {
		return nil, err
	}
	facts := make([]F, 0, len(text)/16)
	err := unpack(text, isPostgres, func(w word) error {
		f, err := fact(w)
		facts = append(facts, f)
		return err
	})
	return facts, err
}

func readGroups(ctx context.Context, tx *sql.Tx, i int) (facts []topology.Group, err error) {
	from := int64(ident.New(ident.DependencyGroup, int64(i)*groupIDs))
	rows, err := tx.QueryContext(ctx, "SELECT id, ci_id, mode, threshold, members FROM dependency_group WHERE id >= $1 AND id < $2", from, from+groupIDs)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var members []byte
	for rows.Next() {
		var g ent.DependencyGroup
		if err := rows.Scan((*int64)(&g.ID), (*int64)(&g.CiID), &g.Mode, &g.Threshold, &members); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(members, &g.Members); err != nil {
			return nil, fmt.Errorf("the members of %v: %w", g.ID, err)
		}
		if err := add(&facts, &g, groupFact); err != nil {
			return nil, err
		}
	}
	return facts, rows.Err()
}
