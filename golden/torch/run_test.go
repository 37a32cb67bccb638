package torch

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
)

// A work is what the driver is given, one for each function, and what it makes
// of it. The driver declares it alike.
type work struct {
	Name    string // package and function
	Outputs []int
	Args    [][]float64
	Dims    []int  // extents behind the arguments
	Returns []bool // for each result, whether it is returned

	Results [][]float64
	Panic   string
}

// run builds the module of all that was emitted and makes the calls, which are
// filled in; those of samples that do not build are left out.
func run(t *testing.T, list []*emitted, calls map[*emitted][]*work) {
	t.Helper()
	dir := t.TempDir()
	module(t, dir)
	for _, e := range list {
		for _, f := range e.files {
			write(t, filepath.Join(dir, e.pkg, f.Name), f.Data)
		}
	}
	build(t, dir, list)

	// The calls, in a file for the driver.
	var all []*work
	for _, e := range list {
		if e.err == nil {
			all = append(all, calls[e]...)
		}
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(all); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "calls"), b.Bytes())

	cmd := exec.Command("./driver")
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("driver: %v\n%s", err, text)
	}
	data, err := os.ReadFile(filepath.Join(dir, "results"))
	if err != nil {
		t.Fatal(err)
	}
	var results []*work
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&results); err != nil {
		t.Fatal(err)
	}
	for i, w := range results {
		*all[i] = *w
	}
}

// work is a call of f, with the sample's inputs and what else it takes.
func (e *emitted) work(f function, extra ...[]float64) *work {
	w := &work{Name: e.pkg + "." + f.name, Outputs: f.outputs, Returns: f.results, Dims: f.dims}
	for _, x := range e.call.inputs {
		w.Args = append(w.Args, x.values)
	}
	w.Args = append(w.Args, extra...)
	return w
}

// works is a call of each function: with the cotangents, or along a direction.
func (e *emitted) works() []*work {
	var out []*work
	for _, f := range e.funcs {
		var extra [][]float64
		switch f.kind {
		case "vjp":
			extra = append(extra, e.cotangent())
		case "jvp":
			for _, i := range f.wrt {
				extra = append(extra, direction(i, e.call.inputs[i].size()))
			}
		}
		out = append(out, e.work(f, extra...))
	}
	return out
}

// cotangent is the cotangents of the sample, one behind another.
func (e *emitted) cotangent() []float64 {
	var out []float64
	for _, c := range e.cotangents {
		out = append(out, c.values...)
	}
	return out
}

// direction is where a parameter moves: numbers of the order of 1.
func direction(param, size int) []float64 {
	r := rand.New(rand.NewPCG(uint64(param), uint64(size)))
	out := make([]float64, size)
	for i := range out {
		out[i] = 2*r.Float64() - 1
	}
	return out
}

// errorLine is the file of an error of the go command.
var errorLine = regexp.MustCompile(`(?m)^[\w/]+/(\w+?)_dnn\w*\.go:\d+:\d+: (.*)$`)

// build makes the driver. A sample whose text does not compile fails, and is
// left out.
func build(t *testing.T, dir string, list []*emitted) {
	t.Helper()
	for {
		write(t, filepath.Join(dir, "registry.go"), registry(list))
		cmd := exec.Command("go", "build", "-gcflags=-e", "-o", "driver", ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod -trimpath")
		text, err := cmd.CombinedOutput()
		if err == nil {
			return
		}
		bad := map[string]string{}
		for _, m := range errorLine.FindAllStringSubmatch(string(text), -1) {
			if bad[m[1]] == "" {
				bad[m[1]] = m[2]
			}
		}
		found := false
		for _, e := range list {
			if message := bad[e.id]; message != "" && e.err == nil {
				e.err, found = fmt.Errorf("what is emitted does not compile: %s", message), true
				for _, f := range e.files {
					if err := os.Remove(filepath.Join(dir, e.pkg, f.Name)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if !found {
			t.Fatalf("go build: %v\n%s", err, text)
		}
	}
}

// module makes dir a module beside the runtime, with the driver.
func module(t *testing.T, dir string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mod := "module example.com/torch\n\ngo 1.26\n\nrequire gradgen.dev v0.0.0\n\nreplace gradgen.dev => " + root + "\n"
	write(t, filepath.Join(dir, "go.mod"), []byte(mod))
	for from, to := range map[string]string{"../../go.sum": "go.sum", "testdata/driver.go": "main.go"} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, to), data)
	}
}

// write makes a file with the folders that it lies in.
func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// registry is the driver's table of functions.
func registry(list []*emitted) []byte {
	pkgs := map[string]bool{}
	var entries strings.Builder
	for _, e := range list {
		if e.err != nil {
			continue
		}
		pkgs[e.pkg] = true
		for _, f := range e.funcs {
			fmt.Fprintf(&entries, "\t%q: %s.%s,\n", e.pkg+"."+f.name, e.pkg, f.name)
		}
	}
	var imports []string
	for p := range pkgs {
		imports = append(imports, fmt.Sprintf("\t%q\n", "example.com/torch/"+p))
	}
	sort.Strings(imports)
	return []byte("package main\n\nimport (\n" + strings.Join(imports, "") + ")\n\nvar registry = map[string]any{\n" + entries.String() + "}\n")
}
