package random

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gradgen.dev/codegen"
	"gradgen.dev/dsl"
	"gradgen.dev/golden"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

var (
	programs = flag.Int("programs", 8, "programs to run")
	first    = flag.Uint64("seed", 1, "of the first program")
	show     = flag.Bool("show", false, "print the programs")
)

// TestPrograms compiles random programs and drives what is emitted.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles packages")
	}
	batch := map[string]*model{} // by package
	seeds := map[string]uint64{}
	invalid := 0
	for seed := *first; len(batch) < *programs; seed++ {
		m := generate(seed)
		if *show {
			t.Logf("seed %d:\n%s", seed, m.text())
		}
		_, err := compile(m, "random")
		switch {
		case errors.As(err, new(invalidProgram)):
			// A parameter that no loss reaches, say.
			if invalid++; invalid > 2**programs+20 {
				t.Fatalf("%d programs are wrong, the last (seed %d): %v\n%s", invalid, seed, err, m.text())
			}
		case err != nil:
			report(t, seed, m, func(m *model) error { _, err := compile(m, "random"); return err })
			return
		default:
			name := fmt.Sprintf("random%d", seed)
			batch[name], seeds[name] = m, seed
		}
	}
	t.Logf("%d programs drawn that are wrong", invalid)

	// All in one run; a failing one alone again, and smaller.
	out, err := drive(t.TempDir(), batch)
	if err == nil {
		return
	}
	failed := false
	for name, m := range batch {
		if strings.Contains(out, name) {
			failed = true
			report(t, seeds[name], m, func(m *model) error {
				_, err := drive(t.TempDir(), map[string]*model{"alone": m})
				return err
			})
		}
	}
	if !failed {
		t.Fatalf("%v\n%s", err, out)
	}
}

// report prints the smallest program that fails.
func report(t *testing.T, seed uint64, m *model, run func(*model) error) {
	t.Helper()
	fails := func(m *model) bool {
		err := run(m)
		return err != nil && !errors.As(err, new(invalidProgram))
	}
	if !fails(m) {
		t.Errorf("seed %d fails with others, and not alone", seed)
		return
	}
	small := shrink(m, fails, 60)
	t.Errorf("seed %d: %v\n%s", seed, run(small), strings.TrimPrefix(small.text(), library))
}

// invalidProgram is the errors of a program that the language refuses.
type invalidProgram struct{ text string }

func (e invalidProgram) Error() string { return e.text }

// compile is the emitted files of a model.
func compile(m *model, pkg string) (files []codegen.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the compiler panics: %v", r)
		}
	}()
	plan, err := planOf(m)
	if err != nil {
		return nil, err
	}
	return codegen.Generate(plan, codegen.Options{Package: pkg, Source: "model.dnn"})
}

func planOf(m *model) (*ir.Plan, error) {
	file, syntax := dsl.Parse("model.dnn", []byte(m.text()))
	program, meaning := dsl.Elaborate(file, dsl.Options{})
	if diags := append(syntax, meaning...); len(diags) > 0 {
		var b strings.Builder
		if err := dsl.Render(&b, diags); err != nil {
			return nil, err
		}
		return nil, invalidProgram{b.String()}
	}
	plan, err := passes.Compile(program)
	var wrong *passes.Error
	if errors.As(err, &wrong) {
		return nil, invalidProgram{err.Error()}
	}
	return plan, err
}

// drive emits the packages of models into dir and runs the driver on them.
// Nothing is written to the source: the go command sees the
// packages through an overlay.
func drive(dir string, models map[string]*model) (output string, err error) {
	if models["random"] != nil {
		return "", errors.New("a package called random would run this test again")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		return "", err
	}
	overlay := map[string]string{}
	put := func(path string, data []byte) error {
		at := filepath.Join(dir, path)
		overlay[filepath.Join(root, path)] = at
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		return os.WriteFile(at, data, 0o644)
	}
	var names []string
	for name, m := range models {
		files, err := compile(m, name)
		if err != nil {
			return "", err
		}
		for _, f := range files {
			if err := put(filepath.Join(name, f.Name), f.Data); err != nil {
				return "", err
			}
		}
		if err := put(filepath.Join(name, "model.dnn"), []byte(m.text())); err != nil {
			return "", err
		}
		names = append(names, name)
	}
	registry, err := golden.Registry(dir, names)
	if err != nil {
		return "", err
	}
	if err := put("drive/registry_test.go", registry); err != nil {
		return "", err
	}
	replaced, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, replaced, 0o644); err != nil {
		return "", err
	}

	var out bytes.Buffer
	cmd := exec.Command("go", "test", "-count=1", "-vet=off", "-overlay="+file, "./drive")
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, &out, &out
	cmd.Env = append(os.Environ(), "GRADGEN_GOLDEN="+dir)
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%w\n%s", err, &out)
	}
	return out.String(), nil
}

// TestShrink leaves of a program what a failure needs.
func TestShrink(t *testing.T) {
	m := generate(3)
	needle := m.body[len(m.body)/2].defs[0]
	small := shrink(m, func(m *model) bool { return strings.Contains(m.text(), needle+" = ") }, 500)
	if len(small.body) > 6 || !strings.Contains(small.text(), needle+" = ") || len(small.metrics) > 0 {
		t.Errorf("%d statements are left:\n%s", len(small.body), small.text())
	}
}

// TestSeeds draws the same program from the same seed.
func TestSeeds(t *testing.T) {
	if a, b := generate(5).text(), generate(5).text(); a != b || a == generate(6).text() {
		t.Error("the seed does not determine the program")
	}
}
