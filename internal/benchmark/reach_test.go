package benchmark_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// contender counts the CIs within reach of a CI. took holds the processor time of the process that works it out, or the
// time that passed if that is not known: the least of several rounds, in which contenders take turns.
type contender struct {
	name string
	ask  func(root topology.Vertex) (reached int, took time.Duration)
	took map[topology.Vertex]time.Duration
}

func (c *contender) note(root topology.Vertex, took time.Duration) {
	if before, ok := c.took[root]; !ok || took < before {
		c.took[root] = took
	}
}

// on returns the times of some roots.
func (c *contender) on(roots []topology.Vertex) (t []time.Duration) {
	for _, root := range roots {
		t = append(t, c.took[root])
	}
	return t
}

func linchpinReach(t *testing.T, s *topology.Snapshot) *contender {
	return &contender{name: "Linchpin, plain reach", ask: func(root topology.Vertex) (int, time.Duration) {
		start := threadTime()
		reached, err := impact.Reach(t.Context(), s, []ident.ID{s.ID(root)})
		took := threadTime() - start
		if err != nil {
			t.Fatal(err)
		}
		return len(reached), took
	}}
}

func linchpinImpact(t *testing.T, s *topology.Snapshot, withoutBrink bool) *contender {
	name := "Linchpin, impact with states and groups"
	if withoutBrink {
		name += ", without the brink"
	}
	return &contender{name: name, ask: func(root topology.Vertex) (int, time.Duration) {
		start := threadTime()
		_, err := impact.Of(t.Context(), s, impact.Question{Failed: []impact.Failure{{CI: s.ID(root), State: impact.Down}}, WithoutBrink: withoutBrink})
		took := threadTime() - start
		if err != nil {
			t.Fatal(err)
		}
		return -1, took // redundancy makes it another number
	}}
}

// edges visits each way of impact once for each arc, groups resolved to the CIs that they stand for.
func edges(s *topology.Snapshot, visit func(cause, dependent topology.Vertex)) {
	for v := range topology.Vertex(s.Vertices()) {
		for _, a := range s.Out(v) {
			if k := a.Kind(); k == topology.HardArc || k == topology.SoftArc {
				visit(v, a.Vertex())
			} else {
				visit(v, s.Counter(a.Group()).Dependent)
			}
		}
	}
}

// cReach compiles testdata/reach.c and returns a contender that runs it over the arrays of a snapshot, groups resolved.
func cReach(t *testing.T, s *topology.Snapshot, how string) (*contender, error) {
	compiler, err := exec.LookPath("cc")
	if err != nil {
		return nil, fmt.Errorf("no C compiler: %w", err)
	}
	program := filepath.Join(t.TempDir(), "reach")
	if out, err := exec.Command(compiler, "-O3", "-march=native", "-o", program, "testdata/reach.c").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	n := s.Vertices()
	words := make([]uint32, n+3)
	words[0] = uint32(n)
	edges(s, func(cause, dependent topology.Vertex) {
		words[2+cause+1]++
		words = append(words, uint32(dependent)) //nolint:makezero // the offsets first
	})
	words[1] = uint32(len(words) - n - 3)
	for v := range n {
		words[2+v+1] += words[2+v]
	}
	file := filepath.Join(t.TempDir(), "arrays")
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := binary.Write(f, binary.NativeEndian, words); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	child := exec.CommandContext(t.Context(), program, file, how)
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		return nil, err
	}
	pipe, err := child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Start(); err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = in.Close(); _ = child.Wait() })
	out := bufio.NewReader(pipe)
	return &contender{name: "C, breadth-first over the same arrays, " + how, ask: func(root topology.Vertex) (reached int, took time.Duration) {
		if _, err := fmt.Fprintln(in, root); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fscanln(out, &took, &reached); err != nil {
			t.Fatal(err)
		}
		return reached, took
	}}, nil
}
