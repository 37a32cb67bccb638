package vec

// FloorDivInt is ⌊x/y⌋. It panics where y is 0, as division does.
func FloorDivInt[T ~int | ~int32 | ~int64](x, y T) T {
	q := x / y
	if x%y != 0 && (x < 0) != (y < 0) {
		q--
	}
	return q
}

// ModInt is x − y·⌊x/y⌋, which has the sign of y. It panics where y is 0.
func ModInt[T ~int | ~int32 | ~int64](x, y T) T {
	r := x % y
	if r != 0 && (r < 0) != (y < 0) {
		r += y
	}
	return r
}
