package ir

import "testing"

// TestMix holds the generator's parts against published values: SplitMix64 from
// the seeds 0 and 1234567 (its finaliser over a counter that steps by the golden
// ratio), and the 64-bit FNV-1a hashes of the authors' test suite.
func TestMix(t *testing.T) {
	for _, c := range []struct {
		seed uint64
		want []uint64
	}{
		{0, []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f}},
		{1234567, []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821}},
	} {
		for i, want := range c.want {
			if got := mix(c.seed + uint64(i+1)*golden); got != want {
				t.Errorf("number %d from seed %d is %d, want %d", i, c.seed, got, want)
			}
		}
	}
	for site, want := range map[string]uint64{"": 0xcbf29ce484222325, "a": 0xaf63dc4c8601ec8c, "foobar": 0x85944171f73967e8} {
		if got := hashSite(site); got != want {
			t.Errorf("site %q is %x, want %x", site, got, want)
		}
	}
	if got := randomKey(42, hashSite("drop.1"), 3); got != 0xede37acc5b04fe4e {
		t.Errorf("the key is %x", got)
	}
}
