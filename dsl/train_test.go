package dsl_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
)

// TestTrainFields checks what of a train is no formula: places, texts, counts.
func TestTrainFields(t *testing.T) {
	p := elaboratedWith(t, `
	model M {
	    param a [] = 1
	    param b [] = 1
	    loss d = a
	    loss g = a * b
	    train g adam(lr: 0.1) {
	        decay 0.5 for b
	        use sgd(lr: 1) for a
	        check gradients
	    }
	    train d sgd(lr: 0.2) {
	        clip value 3
	        accumulate 2 * 2
	        average ema(0.9)
	    }
	}
	model Plain {
	    param a [] = 1
	    loss a
	    train sgd(lr: 0.1)
	}
	model Untrained { param a [] = 1 loss a }`, dsl.Options{})
	var got []string
	for _, m := range p.Models {
		for _, tr := range m.Trains {
			kind := ""
			if tr.Clip != nil {
				kind = tr.Clip.Kind
			}
			got = append(got, fmt.Sprintf("%s/%s %s [%s] check %v clip %q every %d", m.Name, tr.Loss, tr.Pos, tr.Rule, tr.Check, kind, tr.Accumulate))
			for _, u := range tr.Updates {
				var states []string
				for _, w := range u.States {
					states = append(states, w.State.Path)
				}
				if u.Average != nil {
					states = append(states, u.Average.State.Path)
				}
				got = append(got, fmt.Sprintf("%s [%s] decay [%s] %v %s", u.Param.Path, u.Rule, u.Decay, states, u.Grad.Attr.Name))
			}
		}
	}
	want := []string{
		`M/d two.dnn:12:6 [sgd(lr: 0.2)] check false clip "value" every 4`,
		`a [sgd(lr: 0.2)] decay [] [a.d.average] grad a`,
		`M/g two.dnn:7:6 [adam(lr: 0.1)] check true clip "" every 1`,
		`a [sgd(lr: 1)] decay [] [] grad a`,
		`b [adam(lr: 0.1)] decay [0.5] [b.g.m b.g.v] grad b`,
		`Plain/ two.dnn:21:6 [sgd(lr: 0.1)] check false clip "" every 1`,
		`a [sgd(lr: 0.1)] decay [] [] grad a`,
	}
	if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
		t.Errorf("the trains are\n%s\nwant\n%s", a, b)
	}
}

// TestWriteOf: a write is one of each application of the instance whose text has
// it, and knows what that returns; it reads the state as the one before left it.
// One of the model's text has no instance.
func TestWriteOf(t *testing.T) {
	p := elaboratedWith(t, `
	layer count(x) { state n [] = 0  n <- n + 1  return n * x }
	model M {
	    input x []
	    state k [] = 0
	    k <- k + 1
	    shared c = count
	    output a = c(x)
	    output b = c(2 * x)
	    loss a + b
	    carry h [] = 0
	    h <- x
	}`, dsl.Options{})
	m := p.Models[0]
	a, b := m.Train.Outputs[0].Node, m.Train.Outputs[1].Node
	want := []struct {
		path string
		of   []*ir.Node
		read int // the write that its value reads, -1 for the state as it was
	}{{"k", nil, -1}, {"c.n", []*ir.Node{a}, -1}, {"c.n", []*ir.Node{b}, 1}, {"h", nil, -1}}
	if len(m.Train.Writes) != len(want) {
		t.Fatalf("there are %d writes, want %d", len(m.Train.Writes), len(want))
	}
	for i, w := range m.Train.Writes {
		if w.State.Path != want[i].path || fmt.Sprint(ids(w.Of)) != fmt.Sprint(ids(want[i].of)) {
			t.Errorf("write %d, of %s, is of %v, want %s, of %v", i, w.State.Path, ids(w.Of), want[i].path, ids(want[i].of))
		}
		if !w.Read.Is("pin") || w.Read.Args[0] != w.Value {
			t.Errorf("write %d, of %s, is read by %s", i, w.State.Path, w.Read.Op.Name)
		}
		for k, other := range m.Train.Writes {
			if reads := slices.Contains(ir.Topological(w.Value), other.Read); reads != (k == want[i].read) {
				t.Errorf("write %d reads write %d: %v", i, k, reads)
			}
		}
	}
	if len(m.Infer.Writes) != 1 || m.Infer.Writes[0].State != m.Carries[0] {
		t.Errorf("inference writes %v, want the carry alone", m.Infer.Writes)
	}
}

func ids(nodes []*ir.Node) []int {
	var out []int
	for _, n := range nodes {
		out = append(out, int(n.ID))
	}
	return out
}

// TestCopyStartsEqual: the first value of a copied tensor is that of the
// original, draws included, declared before or after it is applied.
func TestCopyStartsEqual(t *testing.T) {
	p := elaboratedWith(t, `
	model M {
	    input x [3]
	    shared enc = dense(units: 2)
	    state early = enc
	    y = early(x) + enc(x)
	    state late = enc
	    loss sum(y + late(x))
	}`, dsl.Options{})
	m := p.Models[0]
	if len(m.States) != 4 {
		t.Fatalf("there are %d states, want 4", len(m.States))
	}
	for _, s := range m.States {
		_, name, _ := strings.Cut(s.Path, ".")
		for _, q := range m.Params {
			if q.Path == "enc."+name && q.Init != s.Init {
				t.Errorf("%s starts as another value than %s", s.Path, q.Path)
			}
		}
	}
}

// TestExportFacts: an entry has the dimensions of its inputs, and the conditions
// that are about them; those it asserts are none of the model's.
func TestExportFacts(t *testing.T) {
	p := elaboratedWith(t, `
	fn halves(x [N]) {
	    assert N % 2 == 0
	    return reshape(x, [N/2, 2])
	}
	model M {
	    input x [B]
	    assert B % 3 == 0
	    export fn own(z [N]) = halves(z)
	    export fn same(z [B]) = halves(z)
	    loss sum(x)
	}`, dsl.Options{})
	m := p.Models[0]
	var got []string
	for _, x := range m.Exports {
		got = append(got, fmt.Sprintf("%s %v %v", x.Name, x.Dims, x.Facts))
	}
	want := "own [{N }] [N % 2 == 0]; same [{B }] [B % 3 == 0 B % 2 == 0]; [B % 3 == 0]"
	if have := strings.Join(append(got, fmt.Sprint(m.Facts)), "; "); have != want {
		t.Errorf("got %s, want %s", have, want)
	}
}

// TestPatternNote checks that a pattern which matches nothing has a note of the
// paths that it may be about.
func TestPatternNote(t *testing.T) {
	for pattern, want := range map[string]string{
		"block.*.w": "near are block.0.W, block.0.b, block.1.W, block.1.b, block.2.W, block.2.b, block.3.W, block.3.b, block.4.W, block.4.b, block.5.W, block.5.b and 3 more",
		"hed.W":     "near are block.0.W, block.1.W, block.2.W, block.3.W, block.4.W, block.5.W, block.6.W, head.W and head.b",
		"hed.**":    "near are head.W and head.b",
		"z":         "the parameters are block.0.W, block.0.b, block.1.W, block.1.b, block.2.W, block.2.b, block.3.W, block.3.b, block.4.W, block.4.b, block.5.W, block.5.b and 4 more",
	} {
		f, _ := dsl.Parse("t.dnn", []byte(`
	model M {
	    input x [B, 3]
	    h = x
	    for i in 0..7 { h = dense(h, 3) as block }
	    y = dense(h, 1) as head
	    loss mean(y)
	    train sgd(lr: 0.1) { freeze `+pattern+` }
	}`))
		_, diags := dsl.Elaborate(f, dsl.Options{})
		if len(diags) != 1 || len(diags[0].Related) != 1 {
			t.Errorf("%s: %v", pattern, diags)
			continue
		}
		if got := diags[0].Related[0].Message; got != want {
			t.Errorf("%s: the note is %q, want %q", pattern, got, want)
		}
	}
}
