package vec

// A number is what scalars of emitted code can be.
type number interface {
	~int | ~int32 | ~int64 | ~float32 | ~float64
}

// Where is x where c holds, else y.
func Where[T number | ~bool](c bool, x, y T) T {
	if c {
		return x
	}
	return y
}

// Truth is 1 where c holds, else 0.
func Truth[T number](c bool) T {
	if c {
		return 1
	}
	return 0
}

// Max is the larger of x and y, and NaN where one of them is.
func Max[T number](x, y T) T {
	if x < y || y != y {
		return y
	}
	return x
}

// Min is the smaller of x and y, and NaN where one of them is.
func Min[T number](x, y T) T {
	if x > y || y != y {
		return y
	}
	return x
}

// AbsInt is |x|; that of the smallest integer is itself.
func AbsInt[T ~int | ~int32 | ~int64](x T) T {
	if x < 0 {
		return -x
	}
	return x
}

// SignInt is −1, 0 or 1.
func SignInt[T ~int | ~int32 | ~int64](x T) T {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}
