// Package restore gives hostile files to an emitted package.
package restore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
	"regexp"
	"strconv"
	"testing"

	"gradgen.dev/golden/running"
	"gradgen.dev/golden/stream"
	"gradgen.dev/runtime/fault"
)

// checksum is the checksum in a file of WriteChecked.
var checksum = regexp.MustCompile(`("gradgen\.crc64":")([0-9a-f]{16})"`)

// sealed is a file with the checksum that belongs to it, where it has one.
func sealed(file []byte) []byte {
	if len(file) < 8 {
		return file
	}
	n := min(binary.LittleEndian.Uint64(file), uint64(len(file)-8))
	header := checksum.ReplaceAll(file[8:8+n], []byte(`${1}0000000000000000"`))
	zeroed := append(append(bytes.Clone(file[:8]), header...), file[8+n:]...)
	sum := fmt.Sprintf(`${1}%016x"`, crc64.Checksum(zeroed, crc64.MakeTable(crc64.ECMA)))
	header = checksum.ReplaceAll(header, []byte(sum))
	return append(append(bytes.Clone(file[:8]), header...), file[8+n:]...)
}

// FuzzRestore gives arbitrary files to all that reads files of a model: no panic,
// and nothing changes on error. Checksums are made right, so that they do not hide
// what is behind them.
func FuzzRestore(f *testing.F) {
	batch := running.Batch{X: make([]float32, 10), Y: make([]float32, 4)}
	save := func(m *running.Running) (checkpoint, weights []byte) {
		var a, b bytes.Buffer
		if err := m.Checkpoint(&a); err != nil {
			f.Fatal(err)
		}
		if err := m.Save(&b); err != nil {
			f.Fatal(err)
		}
		return a.Bytes(), b.Bytes()
	}
	m := running.New(running.Dims{B: 2})
	if _, err := m.Step(batch); err != nil {
		f.Fatal(err)
	}
	checkpoint, weights := save(m)
	if !bytes.Equal(sealed(checkpoint), checkpoint) {
		f.Fatal("the checksum that is made is not that of the file")
	}
	f.Add(checkpoint)
	f.Add(weights)
	f.Add(bytes.Replace(checkpoint, []byte(`"F32"`), []byte(`"I32"`), 1))
	f.Fuzz(func(t *testing.T, file []byte) {
		file = sealed(file)
		m := running.New(running.Dims{B: 2})
		before, _ := save(m)
		for what, read := range map[string]func() error{
			"Restore":     func() error { return m.Restore(bytes.NewReader(file)) },
			"Load":        func() error { return m.Load(bytes.NewReader(file)) },
			"LoadPartial": func() error { _, _, err := m.LoadPartial(bytes.NewReader(file), nil); return err },
		} {
			m.Init(0)
			if err := read(); err == nil {
				_, _ = m.Step(batch) // may find that a loss is not finite
			} else if after, _ := save(m); !bytes.Equal(before, after) {
				t.Errorf("%s: the model has changed after %v", what, err)
			}
		}
		if w, err := running.LoadWeights(bytes.NewReader(file)); err == nil {
			_, _ = w.Predict(running.Input{X: batch.X})
		}
		if w, err := running.ParseWeights(file); err == nil {
			_, _ = w.Predict(running.Input{X: batch.X})
		}
	})
}

// TestHeld: a checkpoint that says of its carries that they are of a batch beyond
// the capacity is an error, and changes nothing.
func TestHeld(t *testing.T) {
	m := stream.New(stream.Dims{B: 2})
	if _, err := m.Step(stream.Batch{X: make([]float64, 6), Y: make([]float64, 4)}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := m.Checkpoint(&out); err != nil {
		t.Fatal(err)
	}
	file := out.Bytes()
	place := regexp.MustCompile(`"trainer/held/B":\{[^}]*"data_offsets":\[([0-9]+),`).FindSubmatch(file)
	if place == nil {
		t.Fatal("the checkpoint does not keep the batch")
	}
	begin, err := strconv.Atoi(string(place[1]))
	if err != nil {
		t.Fatal(err)
	}
	at := 8 + int(binary.LittleEndian.Uint64(file)) + begin
	for _, held := range []uint64{3, 1 << 40, 1<<64 - 1} {
		hostile := bytes.Clone(file)
		binary.LittleEndian.PutUint64(hostile[at:], held)
		if err := m.Restore(bytes.NewReader(sealed(hostile))); !errors.Is(err, fault.ErrMismatch) {
			t.Errorf("a batch of %d: error is %v", held, err)
		}
		var after bytes.Buffer
		if err := m.Checkpoint(&after); err != nil || !bytes.Equal(after.Bytes(), file) {
			t.Errorf("a batch of %d: the model has changed, error %v", held, err)
		}
	}
	if err := m.Restore(bytes.NewReader(sealed(file))); err != nil {
		t.Error(err)
	}
}
