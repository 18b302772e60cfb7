package impact_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// sketch is an estate told in sentences: "app needs db", "app needs log softly", "app needs 2 of n1 n2 n3",
// "app needs any of …", "app needs 60% of …", "app needs weight 5 of n1*3 n2*2", "app retired", "x excluded", "x open".
type sketch struct {
	names map[string]ident.ID
	batch topology.Batch
}

func draw(t testing.TB, sentences string) (*sketch, *topology.Snapshot) {
	k := &sketch{names: map[string]ident.ID{}}
	k.batch.Types = []topology.Type{{ID: ident.New(ident.RelationshipType, 1), Flow: topology.TargetToSource, Strength: topology.Hard}}
	for sentence := range strings.SplitSeq(sentences, ",") {
		words := strings.Fields(sentence)
		switch {
		case len(words) == 0:
		case words[1] == "retired":
			k.ci(words[0]).IsRetired = true
		case words[1] == "planned":
			k.ci(words[0]).IsPlanned = true
		case words[1] == "open" || words[1] == "excluded":
			incident := topology.Incident{ID: ident.New(ident.Incident, int64(len(k.batch.Incidents)+1))}
			if words[1] == "open" {
				incident.Root = []ident.ID{k.ci(words[0]).ID}
			} else {
				incident.Excluded = []ident.ID{k.ci(words[0]).ID}
			}
			k.batch.Incidents = append(k.batch.Incidents, incident)
		case slices.Contains(words, "of"):
			k.group(words)
		default:
			strength := topology.Default
			if len(words) > 3 {
				strength = topology.Soft
			}
			k.needs(words[0], words[2], strength)
		}
	}
	g := topology.New()
	if err := g.Load(k.batch); err != nil {
		t.Fatal(err)
	}
	return k, g.Snapshot()
}

func (k *sketch) ci(name string) *topology.CI {
	if k.names[name] == 0 {
		k.names[name] = ident.New(ident.CI, int64(len(k.names)+1))
		k.batch.CIs = append(k.batch.CIs, topology.CI{
			ID: k.names[name], Class: ident.New(ident.CIClass, 1), IsService: strings.HasPrefix(name, "svc"),
		})
	}
	return &k.batch.CIs[k.names[name].Number()-1]
}

func (k *sketch) needs(dependent, cause string, strength topology.Strength) ident.ID {
	r := topology.Relationship{
		ID: ident.New(ident.Relationship, int64(len(k.batch.Relationships)+1)), Type: ident.New(ident.RelationshipType, 1),
		Source: k.ci(dependent).ID, Target: k.ci(cause).ID, Strength: strength,
	}
	k.batch.Relationships = append(k.batch.Relationships, r)
	return r.ID
}

func (k *sketch) group(words []string) {
	of := slices.Index(words, "of")
	g := topology.Group{ID: ident.New(ident.DependencyGroup, int64(len(k.batch.Groups)+1)), Dependent: k.ci(words[0]).ID}
	switch measure := words[2]; {
	case measure == "all":
	case measure == "any":
		g.Mode = topology.Any
	case measure == "weight":
		g.Mode = topology.Weighted
		g.Threshold, _ = strconv.Atoi(words[3])
	case strings.HasSuffix(measure, "%"):
		g.Mode = topology.Percent
		g.Threshold, _ = strconv.Atoi(strings.TrimSuffix(measure, "%"))
	default:
		g.Mode = topology.AtLeast
		g.Threshold, _ = strconv.Atoi(measure)
	}
	for _, member := range words[of+1:] {
		name, weight, _ := strings.Cut(member, "*")
		n, _ := strconv.Atoi(weight)
		g.Members = append(g.Members, topology.Member{Relationship: k.needs(words[0], name, topology.Default), Weight: n})
	}
	k.batch.Groups = append(k.batch.Groups, g)
}

// question reads "db DOWN, cache DEGRADED, lb excluded".
func (k *sketch) question(sentence string) (q impact.Question) {
	for part := range strings.SplitSeq(sentence, ",") {
		words := strings.Fields(part)
		if words[1] == "excluded" {
			q.Excluded = append(q.Excluded, k.names[words[0]])
			continue
		}
		state, _ := impact.ParseState(words[1])
		q.Failed = append(q.Failed, impact.Failure{CI: k.names[words[0]], State: state})
	}
	return q
}

// told lists what follows, the failed CIs left out, by name.
func (k *sketch) told(a *impact.Answer) string {
	var told []string
	for name, ci := range k.names {
		if h, ok := a.Hit(ci); ok && !h.IsRoot && !h.IsGiven {
			told = append(told, fmt.Sprintf("%s %v", name, h.State))
		}
	}
	slices.Sort(told)
	return strings.Join(told, ", ")
}

func (k *sketch) name(ci ident.ID) string {
	for name, id := range k.names {
		if id == ci {
			return name
		}
	}
	return "?"
}
