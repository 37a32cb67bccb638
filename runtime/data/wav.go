package data

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// WAV is a recording: for each channel its samples, −1 to 1 for integers.
type WAV struct {
	Rate     int         // samples of a channel per second
	Channels [][]float32 // all of one length; one is mono, two are left and right
}

// Codes of the format in a file (Microsoft, Multimedia Programming Interface and
// Data Specifications 1.0, and mmreg.h).
const (
	wavPCM        = 0x0001
	wavFloat      = 0x0003
	wavExtensible = 0xfffe
)

// wavSubFormat are the last 14 bytes of the GUIDs that stand for the codes above
// in a file of WAVE_FORMAT_EXTENSIBLE.
const wavSubFormat = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// wavFormat is what the chunk "fmt " says.
type wavFormat struct {
	code     int // wavPCM or wavFloat
	channels int
	rate     int
	bits     int // of a sample as it is stored
}

// ReadWAV reads a WAV file: PCM of 8, 16, 24 or 32 bits or IEEE floats of 32 or
// 64, any number of channels, plain or WAVE_FORMAT_EXTENSIBLE. Integers become
// v/2^(bits−1), those of 8 bits, which have no sign, (v−128)/128. Floats stay as
// they are. Chunks that are neither "fmt " nor "data" are passed over; nothing
// behind the data is read. A data chunk of length 2³²−1, as programs that write
// to a pipe leave it, goes to the end of the file.
func ReadWAV(r io.Reader, limits ...Limits) (*WAV, error) {
	l := limitsOf(limits)
	w, err := readWAV(l.limit(r), l)
	if err != nil {
		return nil, fmt.Errorf("data: WAV: %w", err)
	}
	return w, nil
}

// ReadWAVFile is [ReadWAV] for a file, packed with gzip or not.
func ReadWAVFile(path string, limits ...Limits) (*WAV, error) {
	l := limitsOf(limits)
	return readFile(path, l, func(r io.Reader) (*WAV, error) {
		w, err := ReadWAV(r, l)
		if err != nil {
			return nil, err
		}

		// Chunks behind the data, such as a list of titles.
		if _, err := io.Copy(io.Discard, r); err != nil {
			return nil, fmt.Errorf("data: WAV: %w", cutOff(err, false))
		}
		return w, nil
	})
}

func readWAV(r io.Reader, l Limits) (*WAV, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, cutOff(err, true)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, fmt.Errorf("not a WAV file: it begins with %q", head)
	}

	// Chunks: four letters, a length, the content, a zero where it is odd.
	var format *wavFormat
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			if err == io.EOF {
				return nil, errors.New(`there is no chunk "data"`)
			}
			return nil, cutOff(err, true)
		}
		name, size := string(chunk[:4]), binary.LittleEndian.Uint32(chunk[4:])
		switch {
		case name == "fmt " && format == nil:
			f, err := readWAVFormat(r, size, l)
			if err != nil {
				return nil, err
			}
			format = f
		case name == "data" && format == nil:
			return nil, errors.New(`the chunk "data" comes before the chunk "fmt "`)
		case name == "data":
			return readWAVData(r, size, *format, l)
		default:
			if _, err := io.CopyN(io.Discard, r, int64(size)+int64(size%2)); err != nil {
				return nil, fmt.Errorf("chunk %q: %w", name, cutOff(err, true))
			}
		}
	}
}

// readWAVFormat reads the chunk "fmt ".
func readWAVFormat(r io.Reader, size uint32, l Limits) (*wavFormat, error) {
	if size < 16 || size > 1<<10 {
		return nil, fmt.Errorf(`the chunk "fmt " has %d bytes, want 16 to 1024`, size)
	}
	chunk, err := take(r, int(size+size%2))
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	f := &wavFormat{
		code:     int(le.Uint16(chunk)),
		channels: int(le.Uint16(chunk[2:])),
		rate:     int(le.Uint32(chunk[4:])),
		bits:     int(le.Uint16(chunk[14:])),
	}
	if f.code == wavExtensible {
		if size < 40 || string(chunk[26:40]) != wavSubFormat {
			return nil, errors.New("the format is extensible, but none of PCM or floats")
		}
		f.code = int(le.Uint16(chunk[24:]))
	}
	if err := f.check(int(le.Uint16(chunk[12:]))); err != nil {
		return nil, err
	}
	return f, atMost("Columns", f.channels, l.Columns)
}

// check refuses what is not read; block is the number of bytes of one sample of
// all channels.
func (f *wavFormat) check(block int) error {
	switch {
	case f.code != wavPCM && f.code != wavFloat:
		return fmt.Errorf("the format %#04x is compressed or unknown, want PCM or IEEE floats; other programs convert it to PCM", f.code)
	case f.channels == 0 || f.rate == 0:
		return fmt.Errorf("%d channels of %d samples per second", f.channels, f.rate)
	case f.code == wavPCM && f.bits != 8 && f.bits != 16 && f.bits != 24 && f.bits != 32:
		return fmt.Errorf("PCM of %d bits, want 8, 16, 24 or 32", f.bits)
	case f.code == wavFloat && f.bits != 32 && f.bits != 64:
		return fmt.Errorf("floats of %d bits, want 32 or 64", f.bits)
	case block != f.channels*f.bits/8:
		return fmt.Errorf("%d channels of %d bits take %d bytes, the file says %d", f.channels, f.bits, f.channels*f.bits/8, block)
	}
	return nil
}

// readWAVData reads the chunk "data", sample by sample. Memory grows with what
// is there.
func readWAVData(r io.Reader, size uint32, f wavFormat, l Limits) (*WAV, error) {
	block := f.channels * f.bits / 8
	frames := int64(size) / int64(block)
	open := size == math.MaxUint32
	switch {
	case open:
		frames = math.MaxInt64
	case int64(size)%int64(block) != 0:
		return nil, fmt.Errorf("the data has %d bytes, which is no multiple of the %d of a sample of all channels", size, block)
	default:
		if err := atMost("Elements", frames*int64(f.channels), int64(l.Elements)); err != nil {
			return nil, err
		}
	}

	w := &WAV{Rate: f.rate, Channels: make([][]float32, f.channels)}
	buffered := bufio.NewReaderSize(io.LimitReader(r, dataBytes(size, open)), 1<<16)
	raw := make([]byte, block)
	for n := int64(0); n < frames; n++ {
		if _, err := io.ReadFull(buffered, raw); err != nil {
			if open && err == io.EOF {
				break
			}
			return nil, cutOff(err, true)
		}
		if err := atMost("Elements", (n+1)*int64(f.channels), int64(l.Elements)); err != nil {
			return nil, err
		}
		for c := range w.Channels {
			w.Channels[c] = append(w.Channels[c], f.sample(raw[c*f.bits/8:]))
		}
	}
	return w, nil
}

// dataBytes is how far the data may be read.
func dataBytes(size uint32, open bool) int64 {
	if open {
		return math.MaxInt64
	}
	return int64(size)
}

// sample is the value of the sample that raw begins with.
func (f wavFormat) sample(raw []byte) float32 {
	le := binary.LittleEndian
	switch {
	case f.code == wavFloat && f.bits == 32:
		return math.Float32frombits(le.Uint32(raw))
	case f.code == wavFloat:
		return float32(math.Float64frombits(le.Uint64(raw)))
	case f.bits == 8:
		return float32(int(raw[0])-128) / 128
	case f.bits == 16:
		return float32(int16(le.Uint16(raw))) / (1 << 15)
	case f.bits == 24:
		return float32(int32(uint32(raw[0])<<8|uint32(raw[1])<<16|uint32(raw[2])<<24)>>8) / (1 << 23)
	}
	return float32(int32(le.Uint32(raw))) / (1 << 31)
}

// WriteWAV writes a recording as PCM of 16 bits: v·2¹⁵, rounded to the nearest
// and held between −2¹⁵ and 2¹⁵−1. Channels of different lengths, a recording
// without any, and NaN are errors, before anything is written.
func WriteWAV(dst io.Writer, w *WAV) error {
	size, err := w.size()
	if err != nil {
		return fmt.Errorf("data: WAV: %w", err)
	}
	le := binary.LittleEndian
	head := append([]byte("RIFF"), le.AppendUint32(nil, uint32(36+size))...)
	head = append(head, "WAVEfmt "...)
	head = le.AppendUint32(head, 16)
	head = le.AppendUint16(head, wavPCM)
	head = le.AppendUint16(head, uint16(len(w.Channels)))
	head = le.AppendUint32(head, uint32(w.Rate))
	head = le.AppendUint32(head, uint32(w.Rate*2*len(w.Channels)))
	head = le.AppendUint16(head, uint16(2*len(w.Channels)))
	head = le.AppendUint16(head, 16)
	head = append(head, "data"...)
	head = le.AppendUint32(head, uint32(size))

	out := bufio.NewWriterSize(dst, 1<<16)
	_, _ = out.Write(head) // the first error comes again at Flush
	for i := range w.Channels[0] {
		for _, c := range w.Channels {
			v := math.RoundToEven(min(max(float64(c[i])*(1<<15), -1<<15), 1<<15-1))
			_, _ = out.Write(le.AppendUint16(out.AvailableBuffer(), uint16(int16(v))))
		}
	}
	return out.Flush()
}

// size is the number of bytes of the data, which has to be writable.
func (w *WAV) size() (int, error) {
	n := len(w.Channels)
	switch {
	case n == 0 || n > 1<<15-1:
		return 0, fmt.Errorf("%d channels, want 1 to %d", n, 1<<15-1)
	case w.Rate <= 0 || int64(w.Rate)*2*int64(n) > math.MaxUint32:
		return 0, fmt.Errorf("%d samples per second in %d channels", w.Rate, n)
	}
	for i, c := range w.Channels {
		if len(c) != len(w.Channels[0]) {
			return 0, fmt.Errorf("channel %d has %d samples, channel 0 has %d", i, len(c), len(w.Channels[0]))
		}
		for k, v := range c {
			if v != v {
				return 0, fmt.Errorf("sample %d of channel %d is NaN", k, i)
			}
		}
	}
	size := int64(2*n) * int64(len(w.Channels[0]))
	if size > math.MaxUint32-36 {
		return 0, fmt.Errorf("%d bytes of data, more than the format can say", size)
	}
	return int(size), nil
}
