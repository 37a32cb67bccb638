package fault

// Rows infers the leading dimension dim of an input that has n elements in rows
// of width. The caller may have given the dimension (0 means that it did not);
// max is the capacity, as New or NewPredictor was given it. Rows of width 0 determine nothing, so that there
// the result is what was given. The error is an [*InputError].
func Rows(model, name string, n, width int, dim string, given, max int) (int, error) {
	if err := Dim(model, dim, given, max); err != nil {
		return 0, err
	}
	if width == 0 {
		return given, Len(model, name, n, 0)
	}

	rows := n / width
	switch {
	case n%width != 0:
		return 0, input(model, name, "%d elements are no multiple of the %d of a row", n, width)
	case given != 0 && given != rows:
		return 0, input(model, name, "%d elements are %d rows of %d, but %s is %d", n, rows, width, dim, given)
	case rows > max:
		return 0, input(model, name, "%d elements are %d rows of %d, more than the capacity %s: %d that New or NewPredictor was given", n, rows, width, dim, max)
	}
	return rows, nil
}

// Dim checks that a dimension is neither negative nor beyond max, the capacity
// that New or NewPredictor was given. The error is an [*InputError] that names the dimension.
func Dim(model, dim string, given, max int) error {
	switch {
	case given < 0:
		return input(model, dim, "%d is negative", given)
	case given > max:
		return input(model, dim, "%d is more than the capacity %d that New or NewPredictor was given", given, max)
	}
	return nil
}

// Held checks that a dimension is the one that a call before has left what is
// kept from call to call with; 0 means that there was none. A call of 0 is empty
// and fits. The error is an [*InputError] that names the dimension.
func Held(model, dim string, given, held int) error {
	if held != 0 && given != 0 && given != held {
		return input(model, dim, "%d, but what is kept from the call before is for %d; Reset starts anew", given, held)
	}
	return nil
}

// Len checks the number of elements of an input. The error is an [*InputError].
func Len(model, name string, got, want int) error {
	if got != want {
		return input(model, name, "%d elements, want %d", got, want)
	}
	return nil
}

// LenBehind is [Len] for an input whose want follows from the n elements of
// another one, first. Where want is 0 since first is empty, it is first that is
// missing, and the error names it.
func LenBehind(model, name string, got, want int, first string, n int) error {
	if n == 0 && want == 0 && got != 0 {
		return input(model, first, "0 elements, but %s has %d", name, got)
	}
	return Len(model, name, got, want)
}

// Labels checks that 0 ≤ y[i] < classes for all i. The error is an
// [*InputError] that names the first that is not.
func Labels[T int32 | int64](model, name string, y []T, classes int) error {
	for i, v := range y {
		if uint64(v) >= uint64(classes) {
			return input(model, name, "[%d] is %d, want 0 to %d", i, v, classes-1)
		}
	}
	return nil
}

// LabelsOr is [Labels] for targets that may also be ignore, which stands for
// no target.
func LabelsOr[T int32 | int64](model, name string, y []T, classes int, ignore int64) error {
	for i, v := range y {
		if uint64(v) >= uint64(classes) && int64(v) != ignore {
			return input(model, name, "[%d] is %d, want 0 to %d, or %d for none", i, v, classes-1, ignore)
		}
	}
	return nil
}
