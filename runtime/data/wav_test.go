package data_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"gradgen.dev/runtime/data"
)

// chunk is a chunk of a RIFF file.
func chunk(name, content string) string {
	text := name + string(binary.LittleEndian.AppendUint32(nil, uint32(len(content)))) + content
	if len(content)%2 == 1 {
		text += "\x00"
	}
	return text
}

// riff is a WAV file of chunks.
func riff(chunks string) string { return chunk("RIFF", "WAVE"+chunks) }

// format is the content of a chunk "fmt ".
func format(code, channels, rate, bits int) string {
	le := binary.LittleEndian
	block := channels * bits / 8
	b := le.AppendUint16(nil, uint16(code))
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*block))
	b = le.AppendUint16(b, uint16(block))
	return string(le.AppendUint16(b, uint16(bits)))
}

// extensible is the format of WAVE_FORMAT_EXTENSIBLE with the GUID of a code.
func extensible(code, channels, rate, bits int) string {
	return format(0xfffe, channels, rate, bits) + "\x16\x00" + string([]byte{byte(bits), 0, 3, 0, 0, 0, byte(code), byte(code >> 8)}) +
		"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
}

// little is values one after the other, little endian.
func little(values ...any) string {
	var out bytes.Buffer
	for _, v := range values {
		if err := binary.Write(&out, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return out.String()
}

func TestReadWAV(t *testing.T) {
	for name, c := range map[string]struct {
		format, samples string
		want            [][]float32
	}{
		"8 bits":             {format(1, 1, 8000, 8), "\x00\x80\xff", [][]float32{{-1, 0, 127.0 / 128}}},
		"16 bits":            {format(1, 2, 8000, 16), little(int16(-32768), int16(1), int16(32767), int16(-2)), [][]float32{{-1, 32767.0 / 32768}, {1.0 / 32768, -2.0 / 32768}}},
		"24 bits":            {format(1, 1, 8000, 24), "\x00\x00\x80\xff\xff\xff\x01\x00\x00\xff\xff\x7f", [][]float32{{-1, -0x1p-23, 0x1p-23, 1 - 0x1p-23}}},
		"32 bits":            {format(1, 1, 8000, 32), little(int32(math.MinInt32), int32(1<<30)), [][]float32{{-1, 0.5}}},
		"floats":             {format(3, 1, 8000, 32) + "\x00\x00", little(float32(1.5), float32(-0.1)), [][]float32{{1.5, -0.1}}},
		"wide floats":        {format(3, 2, 8000, 64), little(0.25, -0.1), [][]float32{{0.25}, {-0.1}}},
		"extensible":         {extensible(1, 1, 8000, 16), little(int16(16384)), [][]float32{{0.5}}},
		"extensible, floats": {extensible(3, 1, 8000, 32), little(float32(0.5)), [][]float32{{0.5}}},
		"nothing":            {format(1, 1, 8000, 16), "", [][]float32{nil}},
	} {
		file := riff(chunk("LIST", "odd") + chunk("fmt ", c.format) + chunk("fact", "1234") + chunk("data", c.samples))
		w, err := data.ReadWAV(bytes.NewReader([]byte(file)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if w.Rate != 8000 || !slices.EqualFunc(w.Channels, c.want, slices.Equal[[]float32]) {
			t.Errorf("%s: read %v at %d per second, want %v", name, w.Channels, w.Rate, c.want)
		}
	}

	// A file of unknown length, as a program wrote it to a pipe.
	open := "RIFF\xff\xff\xff\xffWAVE" + chunk("fmt ", format(1, 1, 8000, 8)) + "data\xff\xff\xff\xff\x80\x00"
	if w, err := data.ReadWAV(bytes.NewReader([]byte(open))); err != nil || !slices.Equal(w.Channels[0], []float32{0, -1}) {
		t.Errorf("read %v, error %v", w, err)
	}
}

func TestReadWAVErrors(t *testing.T) {
	pcm := chunk("fmt ", format(1, 1, 8000, 16))
	for file, want := range map[string]string{
		"RIFX\x00\x00\x00\x00WAVE": "not a WAV file",
		"RIFF\x00\x00":             "cut off",
		riff(""):                   `there is no chunk "data"`,
		riff(pcm):                  `there is no chunk "data"`,
		riff(chunk("data", "")):    `"data" comes before the chunk "fmt "`,
		riff(chunk("fmt ", "x")):   `the chunk "fmt " has 1 bytes`,
		riff(chunk("fmt ", format(2, 1, 8000, 4)) + chunk("data", "")):                          "0x0002 is compressed or unknown",
		riff(chunk("fmt ", format(0xfffe, 1, 8000, 16)) + chunk("data", "")):                    "extensible, but none of PCM",
		riff(chunk("fmt ", extensible(0x55, 1, 8000, 16)) + chunk("data", "")):                  "0x0055 is compressed",
		riff(chunk("fmt ", format(1, 0, 8000, 16)) + chunk("data", "")):                         "0 channels",
		riff(chunk("fmt ", format(1, 1, 0, 16)) + chunk("data", "")):                            "0 samples per second",
		riff(chunk("fmt ", format(1, 1, 8000, 12)) + chunk("data", "")):                         "PCM of 12 bits",
		riff(chunk("fmt ", format(3, 1, 8000, 16)) + chunk("data", "")):                         "floats of 16 bits",
		riff(chunk("fmt ", format(1, 1, 8000, 16)[:12]+"\x04\x00\x10\x00") + chunk("data", "")): "1 channels of 16 bits take 2 bytes, the file says 4",
		riff(pcm + chunk("data", "123")):                                                        "3 bytes, which is no multiple of the 2",
		riff(pcm + "data\x08\x00\x00\x00123"):                                                   "cut off",
		riff(pcm + "data\xf0\xff\xff\xff123"):                                                   "Limits.Elements = 268435456",
		riff("LIST\xf0\xff\xff\xff123"):                                                         `chunk "LIST": the file is cut off`,
		riff(chunk("fmt ", format(1, 20000, 8000, 8))):                                          "columns: 20000 is more than the limit",
	} {
		_, err := data.ReadWAV(bytes.NewReader([]byte(file)))
		checkError(t, err, want)
	}
}

// TestWAVMemory: a header that promises 400 MB takes no memory.
func TestWAVMemory(t *testing.T) {
	file := riff(chunk("fmt ", format(1, 1, 8000, 16)) + "data\x00\x00\x00\x18")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := data.ReadWAV(bytes.NewReader([]byte(file)))
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; err == nil || n > 1<<18 {
		t.Errorf("reading %d bytes takes %d, error %v", len(file), n, err)
	}
}

// TestSpokenDigit reads a recording, writes it and reads it again.
func TestSpokenDigit(t *testing.T) {
	w, err := data.ReadWAVFile("testdata/six.wav")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("testdata/six.wav")
	if err != nil {
		t.Fatal(err)
	}
	if w.Rate != 8000 || len(w.Channels) != 1 || len(w.Channels[0]) != (len(file)-44)/2 || w.Channels[0][0] != -2.0/32768 {
		t.Errorf("read %d channels of %d at %d per second", len(w.Channels), len(w.Channels[0]), w.Rate)
	}
	var out bytes.Buffer
	if err := data.WriteWAV(&out, w); err != nil || !bytes.Equal(out.Bytes(), file) {
		t.Errorf("what is written differs from what was read, error %v", err)
	}
	if _, err := data.ReadWAVFile("testdata/penguins.csv"); err == nil {
		t.Error("a CSV file is read as WAV")
	}
}

func TestWriteWAV(t *testing.T) {
	w := &data.WAV{Rate: 44100, Channels: [][]float32{{-2, 0.5, float32(math.Inf(1))}, {1, 0.4 / 32768, 0.6 / 32768}}}
	var out bytes.Buffer
	if err := data.WriteWAV(&out, w); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.wav")
	if err := os.WriteFile(path, append(out.Bytes(), chunk("LIST", "title")...), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := data.ReadWAVFile(path)
	want := [][]float32{{-1, 0.5, 32767.0 / 32768}, {32767.0 / 32768, 0, 1.0 / 32768}}
	if err != nil || got.Rate != 44100 || !slices.EqualFunc(got.Channels, want, slices.Equal[[]float32]) {
		t.Errorf("read %v, want %v, error %v", got, want, err)
	}
	for want, w := range map[string]*data.WAV{
		"0 channels":                         {Rate: 1},
		"0 samples per second":               {Channels: [][]float32{{}}},
		"channel 1 has 1 samples, channel 0": {Rate: 1, Channels: [][]float32{{}, {0}}},
		"sample 1 of channel 0 is NaN":       {Rate: 1, Channels: [][]float32{{0, float32(math.NaN())}}},
	} {
		checkError(t, data.WriteWAV(io.Discard, w), want)
	}
	broken := errors.New("disk full")
	if err := data.WriteWAV(writerError{broken}, w); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
}

// writerError fails to write.
type writerError struct{ err error }

func (w writerError) Write([]byte) (int, error) { return 0, w.err }

func FuzzReadWAV(f *testing.F) {
	seedFiles(f, ".wav")
	f.Add([]byte(riff(chunk("LIST", "odd") + chunk("fmt ", extensible(3, 2, 8000, 64)) + chunk("data", little(0.5, -0.5)))))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVE" + chunk("fmt ", format(1, 3, 8000, 24)) + "data\xff\xff\xff\xff123456789"))
	f.Fuzz(func(t *testing.T, file []byte) {
		w, err := data.ReadWAV(bytes.NewReader(file), data.Limits{Elements: 1 << 16, Columns: 64})
		if err != nil {
			return
		}
		for _, c := range w.Channels {
			if len(c) != len(w.Channels[0]) || len(c) > len(file) {
				t.Errorf("a channel of %d samples of a file of %d bytes", len(c), len(file))
			}
		}
	})
}
