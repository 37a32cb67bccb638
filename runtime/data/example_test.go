package data_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"strings"

	"gradgen.dev/runtime/data"
)

// From a table with gaps to what a model takes: rows without a target are left
// out, the scale is that of the training rows, and a prediction gets its unit
// back.
func Example() {
	penguins, err := data.ReadCSVFile("testdata/penguins.csv")
	if err != nil {
		log.Fatal(err)
	}
	if penguins, err = penguins.DropMissing("body_mass_g"); err != nil {
		log.Fatal(err)
	}
	train, test := data.Split(penguins.Len(), 0.2, 42)
	known, unseen := penguins.Rows(train), penguins.Rows(test)

	x, err := known.Float32s("bill_length_mm", "flipper_length_mm")
	if err != nil {
		log.Fatal(err)
	}
	scale, err := data.MeasureScale(x, 2)
	if err != nil {
		log.Fatal(err)
	}
	data.Standardise(scale, x)
	fmt.Printf("%d rows for training, %d for the test\n", known.Len(), unseen.Len())
	fmt.Printf("flippers: %.0f ± %.0f mm\n", scale.Mean[1], scale.Std[1])
	fmt.Printf("an error of 0.1 is %.1f mm\n", scale.Distance(1, 0.1))
	// Output:
	// 20 rows for training, 5 for the test
	// flippers: 201 ± 15 mm
	// an error of 0.1 is 1.5 mm
}

// What a table lacks is an error until it is filled in or left out.
func ExampleReadCSV() {
	const file = "rooms,area,near\n3,72.5,sea\n2,,town\n4,95,sea\n"
	houses, err := data.ReadCSV(strings.NewReader(file))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(houses)
	_, err = houses.Float32s("area")
	fmt.Println(err)

	if houses, err = houses.FillMean("area"); err != nil {
		log.Fatal(err)
	}
	x, _ := houses.Float32s("rooms", "area")
	near, _ := houses.Int32s("near")
	fmt.Println(x, near)
	// Output:
	// 3 rows
	// rooms: integer
	// area: float; lacks 1 value, in line 3
	// near: text, 2 categories: "sea", "town"
	// data: CSV: 3:3: column "area" lacks 1 value, in line 3: fill them in (Fill, FillMean, FillText) or leave such rows out (DropMissing)
	// [3 72.5 2 83.75 4 95] [0 1 0]
}

// The test set has the columns and categories of the training set.
func ExampleCSV() {
	train, err := data.CSV{Comma: ';'}.Read(strings.NewReader("size;kind\n1;cat\n2;dog\n"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = data.CSV{Like: train}.Read(strings.NewReader("kind,size\ndog,3\ncow,7\n"))
	fmt.Println(err)
	// Output:
	// data: CSV: 3:1: column "kind": "cow" is none of the categories of CSV.Like, which are "cat", "dog"
}

func ExampleReadNPY() {
	a, err := data.ReadNPYFile[float32]("testdata/fortran_f8.npy")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Shape, a.Data[:a.Width()])
	// Output: [2 3 4] [0 0.25 0.5 0.75 1 1.25 1.5 1.75 2 2.25 2.5 2.75]
}

func ExampleOpenNPZ() {
	z, err := data.OpenNPZ("testdata/packed.npz")
	if err != nil {
		log.Fatal(err)
	}
	defer z.Close()
	y, err := data.ReadNPZArray[int32](z, "y")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(z.Names, y.Data)
	// Output: [x y] [1 0]
}

func ExampleWriteNPY() {
	var file bytes.Buffer
	err := data.WriteNPY(&file, &data.Array[float32]{Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}})
	fmt.Println(file.Len(), err)
	// Output: 144 <nil>
}

func ExampleReadIDX() {
	file := "\x00\x00\x08\x02\x00\x00\x00\x01\x00\x00\x00\x03\x00\x33\xff"
	x, err := data.ReadIDX(strings.NewReader(file))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.Shape, x.Unit())
	// Output: [1 3] [0 0.2 1]
}

// The samples of a language model, in an order that follows from the seed.
func ExampleWindows() {
	const text = "to be or not to be"
	v, err := data.NewVocabulary(text)
	if err != nil {
		log.Fatal(err)
	}
	tokens, err := v.Encode(text)
	if err != nil {
		log.Fatal(err)
	}
	w := data.Windows{Tokens: tokens, Length: 5}
	batches := data.Batches{Samples: w.Len(), Size: 1, Seed: 1}
	x, y := make([]int32, 5), make([]int32, 5)
	for step := range uint64(batches.PerEpoch()) {
		w.Gather(x, y, batches.At(step))
		input, _ := v.Decode(x)
		target, _ := v.Decode(y)
		fmt.Printf("%q %q\n", input, target)
	}
	// Unordered output:
	// "to be" "o be "
	// " or n" "or no"
	// "ot to" "t to "
}

func ExampleReadWAV() {
	w, err := data.ReadWAVFile("testdata/six.wav")
	if err != nil {
		log.Fatal(err)
	}
	samples := w.Channels[0]
	fmt.Printf("%d channel, %.2f s\n", len(w.Channels), float64(len(samples))/float64(w.Rate))
	// Output: 1 channel, 0.14 s
}

func ExamplePictures() {
	p := data.Pictures{Height: 12, Width: 16, Grey: true}
	set, err := p.ReadFS(os.DirFS("testdata"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Files, set.Shape)
	// Output: [cells.jpg cells.png] [2 1 12 16]
}

// A run that is resumed goes on where it was, whatever the epoch.
func ExampleBatches() {
	b := data.Batches{Samples: 6, Size: 3, Seed: 1}
	x := []string{"a", "b", "c", "d", "e", "f"}
	batch := make([]string, 3)
	var whole, resumed []string
	for step := range uint64(4) {
		whole = append(whole, data.Gather(batch, x, 1, b.At(step))...)
	}
	later := data.Batches{Samples: 6, Size: 3, Seed: 1}
	for step := uint64(2); step < 4; step++ {
		resumed = append(resumed, data.Gather(batch, x, 1, later.At(step))...)
	}
	fmt.Println(strings.Join(whole[6:], "") == strings.Join(resumed, ""))
	// Output: true
}
