package passes

import "slices"

// axes is the axes from one up to, not including, another.
func axes(from, to int) []int {
	out := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

func contains(set []int, a int) bool { return slices.Contains(set, a) }

func containsAll(set, of []int) bool {
	return !slices.ContainsFunc(of, func(a int) bool { return !contains(set, a) })
}

// intersect is what a has of b, in a's order.
func intersect(a, b []int) []int {
	var out []int
	for _, v := range a {
		if contains(b, v) {
			out = append(out, v)
		}
	}
	return out
}

// without is axes but for one.
func without(axes []int, axis int) []int {
	return slices.DeleteFunc(slices.Clone(axes), func(a int) bool { return a == axis })
}

// dropAxes is axes without those of gone, counted where gone are removed.
func dropAxes(axes, gone []int) []int {
	var out []int
	for _, a := range axes {
		if contains(gone, a) {
			continue
		}
		shift := 0
		for _, b := range gone {
			if b < a {
				shift++
			}
		}
		out = append(out, a-shift)
	}
	return out
}
