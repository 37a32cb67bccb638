package fault_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"gradgen.dev/runtime/fault"
)

// check compares an error with its text, "" for none, and demands that it is an
// InputError.
func check(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("error is %q, want none", err)
		}
		return
	}
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %q", err, want)
		return
	}
	var in *fault.InputError
	if !errors.As(fmt.Errorf("around: %w", err), &in) || in.Model != "mlp" {
		t.Errorf("%q is no InputError of mlp", err)
	}
}

func TestRows(t *testing.T) {
	for _, c := range []struct {
		n, width, given, max int
		rows                 int
		want                 string
	}{
		{n: 0, width: 4, max: 8},
		{n: 12, width: 4, max: 8, rows: 3},
		{n: 12, width: 4, given: 3, max: 3, rows: 3},
		{n: 13, width: 4, max: 8, want: "mlp: X: 13 elements are no multiple of the 4 of a row"},
		{n: 12, width: 4, given: 2, max: 8, want: "mlp: X: 12 elements are 3 rows of 4, but B is 2"},
		{n: 0, width: 4, given: 2, max: 8, want: "mlp: X: 0 elements are 0 rows of 4, but B is 2"},
		{n: 12, width: 4, max: 2, want: "mlp: X: 12 elements are 3 rows of 4, more than the capacity B: 2 that New or NewPredictor was given"},
		{n: 12, width: 4, given: 3, max: 2, want: "mlp: B: 3 is more than the capacity 2 that New or NewPredictor was given"},
		{n: 0, width: 4, given: -1, max: 2, want: "mlp: B: -1 is negative"},
		{n: 0, width: 0, given: 2, max: 2, rows: 2},
		{n: 0, width: 0, max: 2},
		{n: 3, width: 0, given: 2, max: 2, want: "mlp: X: 3 elements, want 0"},
	} {
		rows, err := fault.Rows("mlp", "X", c.n, c.width, "B", c.given, c.max)
		check(t, err, c.want)
		if err == nil && rows != c.rows {
			t.Errorf("%+v: %d rows", c, rows)
		}
	}
}

func TestLenAndDim(t *testing.T) {
	check(t, fault.Len("mlp", "Y", 3, 3), "")
	check(t, fault.Len("mlp", "Y", 2, 3), "mlp: Y: 2 elements, want 3")
	check(t, fault.Dim("mlp", "T", 0, 0), "")
	check(t, fault.Dim("mlp", "T", 7, 7), "")
	check(t, fault.Dim("mlp", "T", -7, 7), "mlp: T: -7 is negative")
	check(t, fault.Dim("mlp", "T", 8, 7), "mlp: T: 8 is more than the capacity 7 that New or NewPredictor was given")
}

func TestLenBehind(t *testing.T) {
	check(t, fault.LenBehind("mlp", "Y", 0, 0, "X", 0), "")
	check(t, fault.LenBehind("mlp", "Y", 3, 3, "X", 12), "")
	check(t, fault.LenBehind("mlp", "Y", 4, 0, "X", 0), "mlp: X: 0 elements, but Y has 4")
	check(t, fault.LenBehind("mlp", "Y", 4, 0, "X", 12), "mlp: Y: 4 elements, want 0") // another dimension is 0
	check(t, fault.LenBehind("mlp", "Y", 4, 2, "X", 0), "mlp: Y: 4 elements, want 2")
	check(t, fault.LenBehind("mlp", "Y", 0, 3, "X", 12), "mlp: Y: 0 elements, want 3")
}

func TestHeld(t *testing.T) {
	check(t, fault.Held("mlp", "B", 3, 0), "")
	check(t, fault.Held("mlp", "B", 3, 3), "")
	check(t, fault.Held("mlp", "B", 0, 3), "")
	check(t, fault.Held("mlp", "B", 2, 3), "mlp: B: 2, but what is kept from the call before is for 3; Reset starts anew")
}

func TestLabels(t *testing.T) {
	check(t, fault.Labels("mlp", "Y", []int32{0, 9, 5}, 10), "")
	check(t, fault.Labels("mlp", "Y", []int64{}, 0), "")
	check(t, fault.Labels("mlp", "Y", []int32{0, 10, -1}, 10), "mlp: Y: [1] is 10, want 0 to 9")
	check(t, fault.Labels("mlp", "Y", []int64{-1}, 10), "mlp: Y: [0] is -1, want 0 to 9")
	check(t, fault.Labels("mlp", "Y", []int64{math.MinInt64}, 10), "mlp: Y: [0] is -9223372036854775808, want 0 to 9")
	check(t, fault.Labels("mlp", "Y", []int64{1 << 32}, 10), "mlp: Y: [0] is 4294967296, want 0 to 9")
	check(t, fault.LabelsOr("mlp", "Y", []int32{-100, 3}, 10, -100), "")
	check(t, fault.LabelsOr("mlp", "Y", []int32{-100, 3}, 3, -100), "mlp: Y: [1] is 3, want 0 to 2, or -100 for none")
}

func TestNotFinite(t *testing.T) {
	err := fault.NotFinite("mlp.Step", 7, math.Inf(1))
	if !errors.Is(err, fault.ErrNotFinite) || errors.Is(err, fault.ErrMismatch) {
		t.Errorf("%q does not wrap ErrNotFinite alone", err)
	}
	if want := "mlp.Step: step 7: the loss is +Inf, nothing was updated: not finite"; err.Error() != want {
		t.Errorf("error is %q, want %q", err, want)
	}
}

func TestGradientNotFinite(t *testing.T) {
	err := fault.GradientNotFinite("mlp.Step", 7, math.NaN())
	if !errors.Is(err, fault.ErrNotFinite) {
		t.Errorf("%q does not wrap ErrNotFinite", err)
	}
	if want := "mlp.Step: step 7: the norm of the gradient is NaN, nothing was updated: not finite"; err.Error() != want {
		t.Errorf("error is %q, want %q", err, want)
	}
}

// TestAllocations: a check that passes allocates nothing.
func TestAllocations(t *testing.T) {
	y := make([]int32, 64)
	if n := testing.AllocsPerRun(10, func() {
		rows, err := fault.Rows("mlp", "X", 64*4, 4, "B", 0, 64)
		if err != nil || fault.Len("mlp", "Y", len(y), rows) != nil || fault.Labels("mlp", "Y", y, 10) != nil {
			t.Error("a check fails")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
