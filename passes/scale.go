package passes

import (
	"math"
	"strings"

	"gradgen.dev/ir"
)

// A scale is a factor made of numbers and extents: k·num/den.
type scale struct {
	k        float64
	num, den ir.Dim
}

// A scaled value is one that is shown as a factor times a name.
type scaled struct {
	scale
	name string
}

// mostInScale is how many nodes the factor before a name may have.
const mostInScale = 8

// scaleOf is s as a factor, which is false where it is made of anything else, or
// of so much that it cannot stand in a name.
func scaleOf(s *ir.Node) (scale, bool) {
	if len(ir.Topological(s)) >= mostInScale {
		return scale{}, false
	}
	if v, ok := s.Literal(); ok {
		return scale{v, ir.D(1), ir.D(1)}, v != 0 && !math.IsInf(1/v, 0) && !math.IsInf(v, 0)
	}
	switch s.Op.Name {
	case "size":
		return scale{1, s.Attr.Dims[0], ir.D(1)}, true
	case "cast", "neg":
		f, ok := scaleOf(s.Args[0])
		if s.Is("neg") {
			f.k = -f.k
		}
		return f, ok
	case "mul", "div":
		f, ok := scaleOf(s.Args[0])
		g, fits := scaleOf(s.Args[1])
		if s.Is("div") {
			g = g.inverse()
		}
		return scale{f.k * g.k, f.num.Mul(g.num), f.den.Mul(g.den)}, ok && fits
	}
	return scale{}, false
}

// inverse is 1 by f.
func (f scale) inverse() scale { return scale{1 / f.k, f.den, f.num} }

// times is f by k.
func (f scale) times(k float64) scale { return scale{f.k * k, f.num, f.den} }

// reduced is f with the numbers of its extents in k, which is rounded to what
// float32 is sure of, and without what num and den share.
func (f scale) reduced() scale {
	num, n := f.num.Factor()
	den, d := f.den.Factor()
	if n.Equal(d) {
		n, d = ir.D(1), ir.D(1)
	}
	k := f.k * float64(num) / float64(den)
	if exponent := math.Floor(math.Log10(math.Abs(k))); k != 0 && math.Abs(exponent) < 30 {
		unit := math.Pow(10, 5-exponent)
		k = math.Round(k*unit) / unit
	}
	return scale{k, n, d}
}

// scaleText is the factor before a name, with the sign of multiplication: B·,
// −0.5·, (2·B/3)·, or nothing for 1.
func (n *naming) scaleText(f scale) string {
	f = f.reduced()
	var factors []string
	sign := ""
	if f.k < 0 {
		sign, f.k = "−", -f.k
	}
	if f.k != 1 {
		factors = append(factors, n.number(f.k))
	}
	if !f.num.IsConst(1) {
		text, tight := dimText(f.num)
		if tight < 1 {
			text = "(" + text + ")"
		}
		factors = append(factors, text)
	}
	if f.den.IsConst(1) {
		if len(factors) == 0 {
			return sign
		}
		return sign + strings.Join(factors, "·") + "·"
	}
	if len(factors) == 0 {
		factors = []string{"1"}
	}
	text, tight := dimText(f.den)
	if tight < 3 {
		text = "(" + text + ")"
	}
	return sign + "(" + strings.Join(factors, "·") + "/" + text + ")·"
}
