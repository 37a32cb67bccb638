package ir_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

// A polynomial is a Dim beside what it means: its value by integer arithmetic,
// false where that divides by 0.
type polynomial struct {
	dim  ir.Dim
	eval func(env map[string]int) (int, bool)
}

var variables = []string{"B", "N", "heads", "H"}

// randomPolynomial is made by depth operations. Denominators are positive
// constants where simple is set, else any polynomial but the constant 0.
func randomPolynomial(r *rand.Rand, depth int, simple bool) polynomial {
	if depth == 0 {
		if r.IntN(2) == 0 {
			n := r.IntN(9) - 4
			return polynomial{ir.D(n), func(map[string]int) (int, bool) { return n, true }}
		}
		name := variables[r.IntN(len(variables))]
		return polynomial{ir.DimVar(name), func(env map[string]int) (int, bool) { return env[name], true }}
	}
	a, b := randomPolynomial(r, r.IntN(depth), simple), randomPolynomial(r, r.IntN(depth), simple)
	switch r.IntN(6) {
	case 0, 1:
		return both(a, b, ir.Dim.Add, func(x, y int) (int, bool) { return x + y, true })
	case 2:
		return both(a, b, ir.Dim.Sub, func(x, y int) (int, bool) { return x - y, true })
	case 3:
		return both(a, b, ir.Dim.Mul, func(x, y int) (int, bool) { return x * y, true })
	}
	if simple {
		n := 1 + r.IntN(4)
		b = polynomial{ir.D(n), func(map[string]int) (int, bool) { return n, true }}
	}
	if b.dim.IsConst(0) {
		return a
	}
	if r.IntN(2) == 0 {
		return both(a, b, ir.Dim.Mod, func(x, y int) (int, bool) {
			q, ok := floor(x, y)
			return x - y*q, ok
		})
	}
	return both(a, b, ir.Dim.Div, floor)
}

func both(a, b polynomial, op func(d, e ir.Dim) ir.Dim, f func(x, y int) (int, bool)) polynomial {
	return polynomial{op(a.dim, b.dim), func(env map[string]int) (int, bool) {
		x, ok := a.eval(env)
		y, ok2 := b.eval(env)
		if !ok || !ok2 {
			return 0, false
		}
		return f(x, y)
	}}
}

// floor is ⌊x/y⌋ by counting, not by the sign rules of Go's division.
func floor(x, y int) (int, bool) {
	if y == 0 {
		return 0, false
	}
	if y < 0 {
		x, y = -x, -y
	}
	q := x / y
	for q*y > x {
		q--
	}
	return q, true
}

// environment draws values of the variables.
func environment(r *rand.Rand, lowest int) map[string]int {
	env := map[string]int{}
	for _, name := range variables {
		env[name] = lowest + r.IntN(9-lowest)
	}
	return env
}

// eachPolynomial runs f on random polynomials.
func eachPolynomial(t *testing.T, count int, simple bool, f func(r *rand.Rand, p polynomial)) {
	r := rand.New(rand.NewPCG(3, 5))
	for range count {
		f(r, randomPolynomial(r, r.IntN(6), simple))
		if t.Failed() {
			return
		}
	}
}

// checkEqual: d and e have one normal form, which also prints alike.
func checkEqual(t *testing.T, law string, d, e ir.Dim) {
	t.Helper()
	if !d.Equal(e) || d.String() != e.String() {
		t.Errorf("%s: %v and %v", law, d, e)
	}
}

// TestDimValue: a polynomial has the value that integer arithmetic gives,
// negative numbers included.
func TestDimValue(t *testing.T) {
	eachPolynomial(t, 3000, false, func(r *rand.Rand, p polynomial) {
		for range 5 {
			env := environment(r, -8)
			want, ok := p.eval(env)
			if got, err := p.dim.Eval(env); ok && (err != nil || got != want) {
				t.Fatalf("%v at %v is %d (%v), want %d", p.dim, env, got, err, want)
			}
		}
	})
	if _, err := ir.DimVar("K").Eval(nil); err == nil {
		t.Error("a dimension without value has one")
	}
	if _, err := ir.D(1).Div(ir.DimVar("K")).Eval(map[string]int{"K": 0}); err == nil {
		t.Error("1/0 has a value")
	}
}

// TestDimRing: the normal form is a commutative ring's.
func TestDimRing(t *testing.T) {
	zero, one := ir.D(0), ir.D(1)
	eachPolynomial(t, 1000, false, func(r *rand.Rand, p polynomial) {
		a, b, c := p.dim, randomPolynomial(r, 3, false).dim, randomPolynomial(r, 3, false).dim
		checkEqual(t, "a+b = b+a", a.Add(b), b.Add(a))
		checkEqual(t, "(a+b)+c = a+(b+c)", a.Add(b).Add(c), a.Add(b.Add(c)))
		checkEqual(t, "a+0 = a", a.Add(zero), a)
		checkEqual(t, "a−a = 0", a.Sub(a), zero)
		checkEqual(t, "−(−a) = a", a.Neg().Neg(), a)
		checkEqual(t, "ab = ba", a.Mul(b), b.Mul(a))
		checkEqual(t, "(ab)c = a(bc)", a.Mul(b).Mul(c), a.Mul(b.Mul(c)))
		checkEqual(t, "a(b+c) = ab+ac", a.Mul(b.Add(c)), a.Mul(b).Add(a.Mul(c)))
		checkEqual(t, "1a = a", a.Mul(one), a)
		checkEqual(t, "0a = 0", a.Mul(zero), zero)
		if a.Equal(a.Add(one)) {
			t.Errorf("%v equals itself and 1", a)
		}
	})
}

// TestDimDivision: what divides is taken out, and b⌊a/b⌋ + a mod b is a.
func TestDimDivision(t *testing.T) {
	terms := []ir.Dim{ir.D(1), ir.D(2), ir.D(-3), ir.DimVar("B"), ir.DimVar("B").Mul(ir.D(2)), ir.DimVar("B").Mul(ir.DimVar("N"))}
	eachPolynomial(t, 1000, false, func(r *rand.Rand, p polynomial) {
		a, q, m := p.dim, randomPolynomial(r, 3, false).dim, terms[r.IntN(len(terms))]
		checkEqual(t, "a/1 = a", a.Div(ir.D(1)), a)
		checkEqual(t, "qm/m = q", q.Mul(m).Div(m), q)
		checkEqual(t, "(a+qm)/m = a/m+q", a.Add(q.Mul(m)).Div(m), a.Div(m).Add(q))
		checkEqual(t, "(a+qm) mod m = a mod m", a.Add(q.Mul(m)).Mod(m), a.Mod(m))
		if !q.IsConst(0) {
			checkEqual(t, "q/q = 1", q.Div(q), ir.D(1))
			checkEqual(t, "q⌊a/q⌋ + a mod q = a", q.Mul(a.Div(q)).Add(a.Mod(q)), a)
		}
	})

	// Extents of windows that are equal for every H have one form.
	h := ir.DimVar("H")
	checkEqual(t, "padded and strided", h.Add(ir.D(2-3)).Div(ir.D(2)).Add(ir.D(1)), h.Add(ir.D(1)).Div(ir.D(2)))
	for _, zero := range []ir.Dim{{}, ir.D(0), h.Sub(h)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("division by the constant 0 does not panic")
				}
			}()
			h.Div(zero)
		}()
	}
}

// TestDimSubst: substitution and evaluation commute, and Vars is what values
// depend on.
func TestDimSubst(t *testing.T) {
	eachPolynomial(t, 1000, true, func(r *rand.Rand, p polynomial) {
		by, with := variables[r.IntN(len(variables))], randomPolynomial(r, 2, true)
		got := p.dim.Subst(func(name string) (ir.Dim, bool) { return with.dim, name == by })
		checkEqual(t, "identity", p.dim.Subst(func(name string) (ir.Dim, bool) { return ir.DimVar(name), true }), p.dim)
		env := environment(r, -8)
		inner, _ := with.eval(env)
		outer := map[string]int{}
		for name, v := range env {
			outer[name] = v
		}
		outer[by] = inner
		want, _ := p.eval(outer)
		if v, err := got.Eval(env); err != nil || v != want {
			t.Fatalf("%v with %v for %s is %v; at %v it is %d (%v), want %d", p.dim, with.dim, by, got, env, v, err, want)
		}

		// What is no variable of it does not matter, and needs no value.
		vars := map[string]bool{}
		p.dim.Vars(vars)
		for name := range env {
			if !vars[name] {
				delete(env, name)
			}
		}
		if _, err := p.dim.Eval(env); err != nil {
			t.Fatalf("%v has the variables %v, but %v", p.dim, vars, err)
		}
	})
}

// readDim reads a dimension in the text form.
func readDim(text string) (ir.Dim, error) {
	n, err := ir.NewGraph().Formula("size(dim: "+text+", elem: int64)", nil, ir.Type{})
	if err != nil {
		return ir.Dim{}, err
	}
	return n.Attr.Dims[0], nil
}

// TestDimText: what String writes reads back as the same polynomial.
func TestDimText(t *testing.T) {
	eachPolynomial(t, 3000, false, func(_ *rand.Rand, p polynomial) {
		got, err := readDim(p.dim.String())
		if err != nil {
			t.Fatal(err)
		}
		checkEqual(t, "read back", got, p.dim)
	})

	b, h := ir.DimVar("B"), ir.DimVar("H")
	for _, c := range []struct {
		dim  ir.Dim
		want string
	}{
		{ir.D(0), "0"},
		{ir.D(-3), "-3"},
		{b.Mul(ir.D(2)).Sub(ir.D(1)), "2*B - 1"},
		{b.Mul(h).Add(b).Neg(), "-B*H - B"},
		{h.Add(ir.D(1)).Div(ir.D(2)), "(H + 1)/2"},
		{h.Div(ir.D(2)).Neg(), "-(H/2)"},
		{b.Sub(h.Div(ir.D(2))), "-(H/2) + B"},
		{h.Div(ir.D(2)).Mul(b), "(H/2)*B"},
		{h.Div(b.Add(ir.D(1))), "H/(B + 1)"},
		{ir.D(7).Div(b), "7/B"},
		{h.Div(b).Div(ir.D(3)), "(H/B)/3"},
	} {
		if got := c.dim.String(); got != c.want {
			t.Errorf("%s is written %s", c.want, got)
		}
	}
}

// TestDimSpell: another notation keeps what belongs together together.
func TestDimSpell(t *testing.T) {
	eachPolynomial(t, 1000, false, func(r *rand.Rand, p polynomial) {
		text := p.dim.Spell(ir.DimSpeller{
			Var: func(name string) string { return "<" + name + ">" },
			Div: func(num, den string) string { return num + "/" + den },
			Mul: " * ",
		})
		plain := strings.NewReplacer("<", "", ">", "", " * ", "*").Replace(text)
		got, err := readDim(plain)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		env := environment(r, 1)
		want, ok := p.eval(env)
		if v, err := got.Eval(env); ok && (err != nil || v != want) {
			t.Fatalf("%s is %d (%v), want %d", text, v, err, want)
		}
	})
}

// TestDimCovers: where Covers holds, no values that are not negative refute it.
func TestDimCovers(t *testing.T) {
	covered := 0
	eachPolynomial(t, 5000, false, func(r *rand.Rand, p polynomial) {
		q := randomPolynomial(r, 2, false)
		if r.IntN(2) == 0 {
			q = both(p, q, ir.Dim.Sub, func(x, y int) (int, bool) { return x - y, true })
		}
		if !p.dim.Covers(q.dim) {
			return
		}
		covered++
		for range 20 {
			env := environment(r, 0)
			x, ok := p.eval(env)
			y, ok2 := q.eval(env)
			if ok && ok2 && x < y {
				t.Fatalf("%v covers %v, but at %v they are %d and %d", p.dim, q.dim, env, x, y)
			}
		}
	})
	if covered < 500 {
		t.Errorf("only %d of the pairs are covered", covered)
	}
	b := ir.DimVar("B")
	for _, c := range []struct {
		d, e ir.Dim
		want bool
	}{
		{b, ir.D(0), true},
		{b, b, true},
		{b.Mul(b).Add(b), b, true},
		{b.Add(ir.D(1)).Div(ir.D(2)), ir.D(0), true},
		{b, ir.D(1), false},
		{b.Sub(ir.DimVar("N")).Div(ir.DimVar("N").Add(ir.D(1))), ir.D(0), false},
	} {
		if got := c.d.Covers(c.e); got != c.want {
			t.Errorf("%v covers %v: %v", c.d, c.e, got)
		}
	}
}

// TestFacts: a divisibility that holds changes no value, and h·(D/h) is D.
func TestFacts(t *testing.T) {
	d, h, b := ir.DimVar("D"), ir.DimVar("heads"), ir.DimVar("B")
	facts := ir.Facts{{Num: d, Den: h}, {Num: ir.DimVar("H").Sub(ir.D(1)), Den: ir.D(2)}}
	checkEqual(t, "h·(D/h)", facts.Normal(h.Mul(d.Div(h))), d)
	checkEqual(t, "B·h·(D/h) + 1", facts.Normal(b.Mul(h).Mul(d.Div(h)).Add(ir.D(1))), b.Mul(d).Add(ir.D(1)))
	checkEqual(t, "D/h alone", facts.Normal(d.Div(h)), d.Div(h))
	checkEqual(t, "2·((H−1)/2)", facts.Normal(ir.DimVar("H").Sub(ir.D(1)).Div(ir.D(2)).Mul(ir.D(2))), ir.DimVar("H").Sub(ir.D(1)))

	eachPolynomial(t, 1000, true, func(r *rand.Rand, p polynomial) {
		n := 2 + r.IntN(2)
		fact := ir.Facts{{Num: ir.DimVar("H"), Den: ir.D(n)}, {Num: ir.DimVar("N"), Den: ir.DimVar("heads")}}
		got := fact.Normal(p.dim)
		env := environment(r, 1)
		env["H"], env["N"] = n*env["H"], env["heads"]*env["N"]
		want, _ := p.eval(env)
		if v, err := got.Eval(env); err != nil || v != want {
			t.Fatalf("%v becomes %v; at %v it is %d (%v), want %d", p.dim, got, env, v, err, want)
		}
		checkEqual(t, "normal twice", fact.Normal(got), got)
	})
}

// TestDivides: a fact reads as the program asserts it, and holds of what is
// divided, by 0 never.
func TestDivides(t *testing.T) {
	f := ir.Divides{Num: ir.DimVar("N").Add(ir.D(1)), Den: ir.DimVar("h")}
	if s := f.String(); s != "(N + 1) % h == 0" {
		t.Errorf("it reads %s", s)
	}
	for _, c := range []struct {
		env  map[string]int
		want bool
	}{
		{map[string]int{"N": 5, "h": 3}, true},
		{map[string]int{"N": 4, "h": 3}, false},
		{map[string]int{"N": 4, "h": 0}, false},
		{map[string]int{"N": 4}, false},
	} {
		if got := f.Holds(c.env); got != c.want {
			t.Errorf("%v at %v: %v", f, c.env, got)
		}
	}
}

// TestEven: quotients marked as even multiply out however they are put
// together, and values stay.
func TestEven(t *testing.T) {
	d, h, n := ir.DimVar("D"), ir.DimVar("heads"), ir.DimVar("H")
	facts := ir.Facts{{Num: d, Den: h}, {Num: n, Den: ir.D(2)}}
	q, half := facts.Even(d.Div(h)), facts.Even(n.Div(ir.D(2)))
	checkEqual(t, "h·(D/h)", h.Mul(q), d)
	checkEqual(t, "B·(D/h)·h", ir.DimVar("B").Mul(q).Mul(h), ir.DimVar("B").Mul(d))
	checkEqual(t, "2·(H/2)", half.Mul(ir.D(2)), n)
	checkEqual(t, "H/2 + H/2", half.Add(half), n)
	checkEqual(t, "H − H/2", n.Sub(half), half)
	checkEqual(t, "H/2 + (1 − H/2)", half.Add(ir.D(1).Sub(half)), ir.D(1))

	eachPolynomial(t, 1000, true, func(r *rand.Rand, p polynomial) {
		a, b, c := facts.Even(p.dim), facts.Even(randomPolynomial(r, 3, true).dim), half
		checkEqual(t, "a(b+c) = ab+ac", a.Mul(b.Add(c)), a.Mul(b).Add(a.Mul(c)))
		checkEqual(t, "(ab)c = a(bc)", a.Mul(b).Mul(c), a.Mul(b.Mul(c)))
		env := environment(r, 1)
		env["H"] *= 2
		want, _ := p.eval(env)
		if v, err := a.Eval(env); err != nil || v != want {
			t.Fatalf("%v becomes %v; at %v it is %d (%v), want %d", p.dim, a, env, v, err, want)
		}
	})
}

// TestShape: the size is the product, and Drop and Eval keep the order.
func TestShape(t *testing.T) {
	s := ir.Shape{ir.DimVar("B"), ir.D(3), ir.DimVar("N")}
	checkEqual(t, "size", s.Size(), ir.DimVar("B").Mul(ir.DimVar("N")).Mul(ir.D(3)))
	checkEqual(t, "size of a scalar", ir.Shape{}.Size(), ir.D(1))
	if got := s.Drop([]int{0, 2}); !got.Equal(ir.ShapeOf(3)) {
		t.Errorf("without axes 0 and 2 it is %v", got)
	}
	got, err := s.Eval(map[string]int{"B": 5, "N": 7})
	if fmt.Sprint(got, err) != "[5 3 7] <nil>" {
		t.Errorf("at B = 5, N = 7 it is %v, %v", got, err)
	}
	if got := (ir.Type{Elem: ir.Int64, Shape: s}).String(); got != "[B, 3, N]int64" {
		t.Errorf("the type is written %s", got)
	}
}

// TestDimBound: the bound at some sizes is at least the extent at those and at
// smaller ones, and is the extent where that only grows.
func TestDimBound(t *testing.T) {
	n, b := ir.DimVar("N"), ir.DimVar("B")
	for _, c := range []struct{ d, want ir.Dim }{
		{n, n}, {n.Sub(ir.D(1)), n.Sub(ir.D(1))}, {n.Sub(b), n}, {n.Mul(b).Sub(b).Add(ir.D(2)), n.Mul(b).Add(ir.D(2))},
		{n.Div(ir.D(2)), n.Div(ir.D(2))}, {n.Sub(b).Div(ir.D(2)), n.Add(b).Div(ir.D(2))}, {n.Div(b), n}, {n.Mod(b), n}, {ir.D(3), ir.D(3)},
	} {
		have := c.d.Bound()
		if !have.Equal(c.want) {
			t.Errorf("the bound of %v is %v, want %v", c.d, have, c.want)
		}
		for size := range 5 {
			room, err := have.Eval(map[string]int{"N": 4, "B": 4})
			if err != nil {
				t.Fatal(err)
			}
			for other := range 5 {
				v, err := c.d.Eval(map[string]int{"N": size, "B": other})
				if err == nil && v > room {
					t.Errorf("%v is %d at N=%d, B=%d, above the %d of its bound", c.d, v, size, other, room)
				}
			}
		}
	}
}
