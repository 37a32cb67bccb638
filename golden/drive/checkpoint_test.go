package drive

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// readCheckpoint is the tensors of a safetensors file by name, in float64. It
// shares no code with the runtime.
func readCheckpoint(file []byte) (map[string][]float64, error) {
	if len(file) < 8 {
		return nil, fmt.Errorf("a file of %d bytes", len(file))
	}
	n := binary.LittleEndian.Uint64(file)
	var header map[string]json.RawMessage
	if err := json.Unmarshal(file[8:8+n], &header); err != nil {
		return nil, err
	}
	data := file[8+n:]
	out := map[string][]float64{}
	for name, text := range header {
		if name == "__metadata__" {
			continue
		}
		var entry struct {
			DType   string `json:"dtype"`
			Offsets [2]int `json:"data_offsets"`
		}
		if err := json.Unmarshal(text, &entry); err != nil {
			return nil, err
		}
		list, err := decode(entry.DType, data[entry.Offsets[0]:entry.Offsets[1]])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = list
	}
	return out, nil
}

// decode is elements of a type of safetensors.
func decode(dtype string, data []byte) ([]float64, error) {
	r := bytes.NewReader(data)
	var out []float64
	for r.Len() > 0 {
		var v float64
		var err error
		switch dtype {
		case "F32":
			var x uint32
			err = binary.Read(r, binary.LittleEndian, &x)
			v = float64(math.Float32frombits(x))
		case "F64":
			err = binary.Read(r, binary.LittleEndian, &v)
		case "I32":
			var x int32
			err = binary.Read(r, binary.LittleEndian, &x)
			v = float64(x)
		case "I64", "U64":
			var x int64
			err = binary.Read(r, binary.LittleEndian, &x)
			v = float64(x)
		case "BOOL":
			var x uint8
			err = binary.Read(r, binary.LittleEndian, &x)
			v = float64(x)
		default:
			return nil, fmt.Errorf("type %s", dtype)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
