// Package rng has counter-based random numbers: the i-th number of a stream is
// a function of the stream's key and of i, so that it does not matter in which
// order, by how many workers or how often it is computed.
//
// All arithmetic on uint64 is modulo 2⁶⁴. With
//
//	mix(z):  z ^= z>>30;  z *= 0xbf58476d1ce4e5b9
//	         z ^= z>>27;  z *= 0x94d049bb133111eb
//	         z ^= z>>31
//
// which is the finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable
// pseudorandom number generators, OOPSLA 2014), the definitions are
//
//	At(key, i)            = mix(key + (i+1)·0x9e3779b97f4a7c15)
//	Key(seed, site, call) = mix(mix(mix(seed + 0x9e3779b97f4a7c15) ^ site) + call·0xd1342543de82ef95)
//	Hash(s)               = FNV-1a of the bytes of s, 64 bits
//	Uniform32(key, i)     = float32(At(key, i) >> 40) / 2²⁴          in [0, 1)
//	Uniform64(key, i)     = float64(At(key, i) >> 11) / 2⁵³          in [0, 1)
//	Normal64(key, i)      = √(−2·ln u₁) · cos(2π·u₂)                 Box–Muller
//	                        u₁ = 1 − Uniform64(key, 2i), u₂ = Uniform64(key, 2i+1)
//	Normal32(key, i)      = float32(Normal64(key, i))
//	Shuffle(p, seed, e)   : p[i] = i; for i from len(p)−1 down to 1, exchange
//	                        p[i] and p[j], j = ⌊At(k, i)·(i+1) / 2⁶⁴⌋,
//	                        k = Key(seed, Hash("shuffle"), e)
//
// At with key 0 is SplitMix64 itself. The numbers are for training, not for
// secrets.
package rng

import (
	"math"
	"math/bits"
)

const (
	golden = 0x9e3779b97f4a7c15 // 2⁶⁴ over the golden ratio
	stride = 0xd1342543de82ef95 // multiplier of a spectrally good LCG (Steele, Vigna 2021)
)

// mix is the finaliser of SplitMix64, a bijection.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// At is the i-th number of the stream of key, uniform over uint64.
func At(key, i uint64) uint64 { return mix(key + (i+1)*golden) }

// Key is the key of the stream that a random node at site draws from in its
// call-th application, of a run that was started with seed.
func Key(seed, site, call uint64) uint64 { return mix(mix(mix(seed+golden)^site) + call*stride) }

// Hash is FNV-1a of s, which makes a site of a name.
func Hash(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}

// Uniform32 is the i-th number of the stream, in [0, 1), a multiple of 2⁻²⁴.
func Uniform32(key, i uint64) float32 { return float32(At(key, i)>>40) * (1.0 / (1 << 24)) }

// Uniform64 is the i-th number of the stream, in [0, 1), a multiple of 2⁻⁵³.
func Uniform64(key, i uint64) float64 { return float64(At(key, i)>>11) * (1.0 / (1 << 53)) }

// Normal64 is the i-th number of the stream, from the normal distribution of
// mean 0 and variance 1. It uses up two counters.
func Normal64(key, i uint64) float64 {
	u1, u2 := 1-Uniform64(key, 2*i), Uniform64(key, 2*i+1)
	return math.Sqrt(-2*math.Log(u1)) * math.Cos(2*math.Pi*u2)
}

// Normal32 is [Normal64], rounded.
func Normal32(key, i uint64) float32 { return float32(Normal64(key, i)) }

// Perm is the order of n samples in an epoch: a permutation of 0 to n−1 that
// depends on seed and epoch alone.
func Perm(seed, epoch uint64, n int) []int {
	p := make([]int, n)
	Shuffle(p, seed, epoch)
	return p
}

// Shuffle sets dst to the order of len(dst) samples in an epoch, as [Perm]
// gives it (Fisher and Yates, in Durstenfeld's form).
func Shuffle(dst []int, seed, epoch uint64) {
	for i := range dst {
		dst[i] = i
	}
	key := Key(seed, Hash("shuffle"), epoch)
	for i := len(dst) - 1; i > 0; i-- {
		j, _ := bits.Mul64(At(key, uint64(i)), uint64(i)+1)
		dst[i], dst[j] = dst[j], dst[i]
	}
}
