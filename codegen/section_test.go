package codegen

import (
	"strings"
	"testing"
)

// Equals signs stand below one another behind names of up to widestName runes.
func TestColumnsOfSection(t *testing.T) {
	for _, c := range []struct {
		name string
		want string // the line of y
	}{
		{"dblock.layer_norm2.scale", "\n\ty                        = 2"},
		{strings.Repeat("n", 33), "\n\ty = 2"},
	} {
		if got := section("", []string{c.name + " = 1", "y = 2"}, nil); !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: %q, want %q at its end", c.name, got, c.want)
		}
	}
}
