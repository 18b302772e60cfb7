package topology

import (
	"fmt"
	"math/bits"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Digest sums up a set of facts: 128 bits, each fact hashed alone and the hashes added, so that it does
// not depend on order and a write adjusts it in the time of the facts it changes. It finds accidents (a lost
// or doubled write), it does not withstand forgers. After Bellare and Micciancio, "A New Paradigm for
// Collision-Free Hashing: Incrementality at Reduced Cost", 1997.
type Digest struct{ high, low uint64 }

// String returns the digest in hexadecimal.
func (d Digest) String() string { return fmt.Sprintf("%016x%016x", d.high, d.low) }

// DigestOf returns the digest of the graph that Load(b) makes, without making it: O(facts), in any order. b names each
// record once and removes none; its revision is no part of the digest.
func DigestOf(b Batch) (Digest, error) {
	b, err := b.normalise()
	if err != nil {
		return Digest{}, err
	}
	var d Digest
	sum(&d, b.CIs)
	sum(&d, b.Types)
	sum(&d, b.Relationships)
	sum(&d, b.Groups)
	sum(&d, b.Incidents)
	sum(&d, b.Changes)
	return d, nil
}

func sum[F interface{ digest() Digest }](d *Digest, facts []F) {
	for _, f := range facts {
		d.add(f.digest())
	}
}

func (d *Digest) add(h Digest) {
	var carry uint64
	d.low, carry = bits.Add64(d.low, h.low, 0)
	d.high, _ = bits.Add64(d.high, h.high, carry)
}

func (d *Digest) remove(h Digest) {
	var borrow uint64
	d.low, borrow = bits.Sub64(d.low, h.low, 0)
	d.high, _ = bits.Sub64(d.high, h.high, borrow)
}

// hash folds words by full 64×64→128-bit multiplication.
func hash(words ...uint64) Digest {
	d := Digest{0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f}
	for _, w := range words {
		h1, l1 := bits.Mul64(d.high^w, 0xa0761d6478bd642f)
		h2, l2 := bits.Mul64(d.low^bits.RotateLeft64(w, 32)^0x8ebc6af09c88c6e3, 0xe7037ed1a0b428db)
		d = Digest{h1 ^ l1 ^ bits.RotateLeft64(l2, 17), h2 ^ l2 ^ bits.RotateLeft64(l1, 41)}
	}
	return d
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func (f CI) digest() Digest {
	return hash(uint64(f.ID), uint64(f.Class), uint64(f.Tier), uint64(f.Environment), flag(f.IsService), flag(f.IsRetired)|flag(f.IsPlanned)<<1)
}

func (f Type) digest() Digest { return hash(uint64(f.ID), uint64(f.Flow), uint64(f.Strength)) }

func (f Relationship) digest() Digest {
	return hash(uint64(f.ID), uint64(f.Type), uint64(f.Source), uint64(f.Target), uint64(f.Strength))
}

func (f Group) digest() Digest {
	words := []uint64{uint64(f.ID), uint64(f.Dependent), uint64(f.Mode), uint64(f.Threshold), uint64(len(f.Members))}
	for _, m := range f.Members {
		words = append(words, uint64(m.Relationship), uint64(m.Weight))
	}
	return hash(words...)
}

func (f Incident) digest() Digest { return hashMarks(f.ID, f.Root, f.Excluded) }

func (f Change) digest() Digest { return hashMarks(f.ID, f.TakenDown, f.Changed) }

func hashMarks(id ident.ID, one, other []ident.ID) Digest {
	words := []uint64{uint64(id), uint64(len(one)), uint64(len(other))}
	for _, list := range [][]ident.ID{one, other} {
		for _, v := range list {
			words = append(words, uint64(v))
		}
	}
	return hash(words...)
}
