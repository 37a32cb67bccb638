package store_test

import (
	"bytes"
	"fmt"
	"log"
	"strings"

	"gradgen.dev/runtime/store"
)

func ExampleWrite() {
	var file bytes.Buffer
	W := store.Tensor{Name: "W", Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}}
	if err := store.Write(&file, map[string]string{"model": "mlp"}, W); err != nil {
		log.Fatal(err)
	}
	header := file.String()[8:]
	fmt.Println(header[:strings.LastIndex(header, "}")+1])
	// Output: {"__metadata__":{"model":"mlp"},"W":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}
}

// A file in memory, such as an embedded one, is used where it lies.
func ExampleParse() {
	var file bytes.Buffer
	err := store.Write(&file, nil, store.Tensor{Name: "W", Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}})
	if err != nil {
		log.Fatal(err)
	}
	var W []float32
	_, err = store.Parse(file.Bytes(), store.View{Name: "W", Shape: []int{2, 2}, Into: &W})
	fmt.Println(W, err)

	_, err = store.Parse(file.Bytes(), store.View{Name: "W", Shape: []int{4}, Into: &W})
	fmt.Println(err)
	// Output:
	// [1 2 3 4] <nil>
	// store: file does not match the model: tensor "W" is F32[2 2], want F32[4]
}

// A checkpoint that has changed on its way is an error.
func ExampleReadChecked() {
	var file bytes.Buffer
	step := store.Tensor{Name: "step", Shape: []int{}, Data: []uint64{7}}
	if err := store.WriteChecked(&file, nil, step); err != nil {
		log.Fatal(err)
	}
	damaged := file.Bytes()
	damaged[len(damaged)-1] ^= 1
	_, err := store.ReadChecked(bytes.NewReader(damaged), step)
	fmt.Println(strings.HasPrefix(err.Error(), "store: damaged file: the checksum is"), step.Data)
	// Output: true [7]
}
