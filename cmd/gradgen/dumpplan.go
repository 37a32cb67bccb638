package main

import (
	"fmt"
	"strings"

	"gradgen.dev/ir"
)

// dumpPlan prints the procedures of a program's plan, the kind of each step
// over its formulas, and where in the arena each buffer lies.
func dumpPlan(std streams, s source) (string, error) {
	plans, err := plan(std, []source{s})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, m := range plans[0].Models {
		name := m.Model.Name
		for _, p := range m.Procedures() {
			dumpProcedure(&b, name, p)
		}
		dumpArena(&b, name+" trainer", m.Trainer)
		dumpArena(&b, name+" predictor", m.Reader)
	}
	for _, f := range plans[0].Funcs {
		for _, e := range f.Entries {
			dumpProcedure(&b, f.Func.Name, e.Proc)
			dumpArena(&b, f.Func.Name+" "+e.Proc.Name, e.Arena)
		}
	}
	return b.String(), nil
}

// dumpProcedure prints the steps of one procedure.
func dumpProcedure(b *strings.Builder, owner string, p *ir.Procedure) {
	fmt.Fprintf(b, "procedure %s %s\n", owner, p.Name)
	dumpSteps(b, p.Steps)
	for _, r := range p.Routines() {
		fmt.Fprintf(b, "routine %s %s, %s\n", owner, r.Name, r.Text)
		dumpSteps(b, r.Steps)
	}
}

func dumpSteps(b *strings.Builder, steps []*ir.Step) {
	for _, s := range steps {
		fmt.Fprintf(b, "    %s\n", stepKind(s))
		for _, f := range s.Formulas {
			fmt.Fprintf(b, "        %s\n", strings.ReplaceAll(f, "\n", "\n        "))
		}
	}
}

// stepKind says what a step is and where it writes.
func stepKind(s *ir.Step) string {
	switch {
	case s.Product != nil:
		p := s.Product
		return fmt.Sprintf("product %s × %s to %s", p.A.Buffer.Name, p.B.Buffer.Name, p.C.Buffer.Name)
	case s.Loop != nil:
		return fmt.Sprintf("loop %v, %v in %d passes to %s", s.Loop.Outer, s.Loop.Inner, len(s.Loop.Passes), strings.Join(written(s.Loop), ", "))
	case s.Call != nil:
		run := s.Call.Run
		return fmt.Sprintf("call %s for %s, %d parameters", s.Call.Routine.Name, run[0].Path, len(run))
	}
	return "scalar " + s.Scalar.To.Name
}

// written is the buffers that a loop writes, in the order of its stores and
// folds.
func written(l *ir.LoopStep) []string {
	var names []string
	for _, s := range l.Stores {
		names = append(names, s.To.Buffer.Name)
	}
	for _, f := range l.Folds {
		names = append(names, f.To.Buffer.Name)
	}
	return names
}

// dumpArena prints where the buffers of an arena lie and what they hold in
// turn.
func dumpArena(b *strings.Builder, owner string, a ir.Arena) {
	if len(a.Buffers) == 0 {
		return
	}
	fmt.Fprintf(b, "arena %s\n", owner)
	for _, buf := range a.Buffers {
		fmt.Fprintf(b, "    %v %s %v: %s\n", buf.Offset, buf.Name, buf.Type, strings.Join(buf.Values, ", "))
	}
}
