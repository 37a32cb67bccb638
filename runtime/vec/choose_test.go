package vec

import (
	"math"
	"testing"
)

func TestChoose(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct{ x, y, max, min float64 }{
		{1, 2, 2, 1}, {2, 1, 2, 1}, {-1, -1, -1, -1}, {nan, 1, nan, nan}, {1, nan, nan, nan}, {math.Inf(-1), 0, 0, math.Inf(-1)},
	} {
		if got := Max(c.x, c.y); got != c.max && !(got != got && c.max != c.max) {
			t.Errorf("Max(%v, %v) = %v, want %v", c.x, c.y, got, c.max)
		}
		if got := Min(c.x, c.y); got != c.min && !(got != got && c.min != c.min) {
			t.Errorf("Min(%v, %v) = %v, want %v", c.x, c.y, got, c.min)
		}
	}
	if Where(true, 1.0, 2) != 1 || Where(false, 1.0, 2) != 2 || Truth[float32](true) != 1 || Truth[int32](false) != 0 {
		t.Error("Where or Truth takes the other side")
	}
	if AbsInt(int32(-3)) != 3 || AbsInt(int64(4)) != 4 || SignInt(int32(-7)) != -1 || SignInt(int64(0)) != 0 || SignInt(int64(9)) != 1 {
		t.Error("AbsInt or SignInt")
	}
}
