// Command driver calls emitted functions: it reads the calls from the file calls
// and writes them with their results to the file results.
package main

import (
	"encoding/gob"
	"fmt"
	"log"
	"os"
	"reflect"
)

// A work is one call.
type work struct {
	Name    string
	Outputs []int
	Args    [][]float64
	Dims    []int
	Returns []bool

	Results [][]float64
	Panic   string
}

func main() {
	in, err := os.Open("calls")
	if err != nil {
		log.Fatal(err)
	}
	var list []*work
	if err := gob.NewDecoder(in).Decode(&list); err != nil {
		log.Fatal(err)
	}
	for _, w := range list {
		w.call(reflect.ValueOf(registry[w.Name]))
	}
	out, err := os.Create("results")
	if err != nil {
		log.Fatal(err)
	}
	if err := gob.NewEncoder(out).Encode(list); err != nil {
		log.Fatal(err)
	}
	if err := out.Close(); err != nil {
		log.Fatal(err)
	}
}

// call calls f: destinations first, then operands, extents, and scratch
// memory, which may be nil. Scalars are returned, everything else is in its destination.
func (w *work) call(f reflect.Value) {
	defer func() {
		if r := recover(); r != nil {
			w.Panic = fmt.Sprint(r)
		}
	}()
	typ := f.Type()
	var args, outputs []reflect.Value
	for _, n := range w.Outputs {
		out := reflect.MakeSlice(typ.In(len(args)), n, n)
		args, outputs = append(args, out), append(outputs, out)
	}
	for _, x := range w.Args {
		args = append(args, argument(x, typ.In(len(args))))
	}
	for _, d := range w.Dims {
		args = append(args, reflect.ValueOf(d))
	}
	for len(args) < typ.NumIn() {
		args = append(args, reflect.Zero(typ.In(len(args))))
	}
	returned := f.Call(args)
	for _, scalar := range w.Returns {
		if scalar {
			w.Results, returned = append(w.Results, []float64{toFloat(returned[0])}), returned[1:]
			continue
		}
		x := []float64{}
		for i := range outputs[0].Len() {
			x = append(x, toFloat(outputs[0].Index(i)))
		}
		w.Results, outputs = append(w.Results, x), outputs[1:]
	}
}

// argument is numbers as a slice or a scalar of a type.
func argument(x []float64, typ reflect.Type) reflect.Value {
	if typ.Kind() != reflect.Slice {
		v := reflect.New(typ).Elem()
		set(v, x[0])
		return v
	}
	v := reflect.MakeSlice(typ, len(x), len(x))
	for i, f := range x {
		set(v.Index(i), f)
	}
	return v
}

func set(v reflect.Value, f float64) {
	if v.Kind() == reflect.Bool {
		v.SetBool(f != 0)
		return
	}
	v.Set(reflect.ValueOf(f).Convert(v.Type()))
}

func toFloat(v reflect.Value) float64 {
	switch {
	case v.Kind() == reflect.Bool && v.Bool():
		return 1
	case v.Kind() == reflect.Bool:
		return 0
	}
	return v.Convert(reflect.TypeFor[float64]()).Float()
}
