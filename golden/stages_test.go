package golden

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"text/tabwriter"

	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// classes are the columns of a stage's count.
var classes = []ir.Class{ir.Leaf, ir.Map, ir.Reduce, ir.Product, ir.View, ir.Index, ir.Random, ir.Calculus}

// stagesOf is stages.txt of a case: how many nodes each class has after each
// stage, and what the plan's procedures and arenas are made of.
func stagesOf(plan *ir.Plan) []byte {
	var b bytes.Buffer
	program := plan.Program
	for _, m := range program.Models {
		fmt.Fprintf(&b, "model %s\n\n", m.Name)
		printStages(&b, program.Graph, modelRoots(program.Graph, m))
		b.WriteString("\n")
	}
	for _, f := range program.Funcs {
		fmt.Fprintf(&b, "fn %s\n\n", f.Name)
		printStages(&b, program.Graph, funcRoots(program.Graph, f))
		b.WriteString("\n")
	}
	printPlan(&b, plan)
	return b.Bytes()
}

// modelRoots is what a model computes: both sides, the gradient, the updates.
func modelRoots(g *ir.Graph, m *ir.Model) []*ir.Node {
	var roots []*ir.Node
	add := func(n *ir.Node) {
		if n != nil {
			roots = append(roots, n)
		}
	}
	for _, s := range []*ir.Side{m.Train.Step(g, ""), m.Infer} {
		if s == nil {
			continue
		}
		for _, x := range slices.Concat(s.Losses, s.Metrics, s.Outputs) {
			add(x.Node)
		}
		for _, w := range s.Writes {
			add(w.Value)
		}
	}
	if m.Train != nil {
		for _, l := range m.Train.Losses {
			roots = append(roots, Gradients(g, m.Train.Step(g, l.Name).Loss(l.Name), m.Params)...)
		}
	}
	for _, u := range m.Updates() {
		add(u.Next)
		for _, s := range u.States {
			add(s.Value)
		}
	}
	return roots
}

// funcRoots is what a function and its derivatives compute.
func funcRoots(g *ir.Graph, f *ir.Func) []*ir.Node {
	roots := append([]*ir.Node{}, f.Results...)
	y := f.Results[0]
	for _, d := range f.Derive {
		for _, i := range d.Params {
			x := f.Params[i].Node
			switch d.Kind {
			case "grad", "jacobian", "hessian":
				roots = append(roots, g.Must(d.Kind, ir.Attr{}, y, x))
			case "vjp":
				roots = append(roots, g.Must("vjp", ir.Attr{}, y, x, g.Leaf("input", "w", y.Type)))
			case "jvp":
				roots = append(roots, g.Must("jvp", ir.Attr{}, y, x, g.Leaf("input", "v", x.Type)))
			case "hvp":
				roots = append(roots, g.Must("jvp", ir.Attr{}, g.Must("grad", ir.Attr{}, y, x), x, g.Leaf("input", "v", x.Type)))
			}
		}
	}
	return roots
}

// printStages counts the nodes below roots, stage by stage.
func printStages(w io.Writer, g *ir.Graph, roots []*ir.Node) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "stage\tnodes")
	for _, c := range classes {
		fmt.Fprintf(t, "\t%v", c)
	}
	fmt.Fprintln(t, "\t")
	count := func(stage string) {
		of := map[ir.Class]int{}
		all := ir.Topological(roots...)
		for _, n := range all {
			of[n.Op.Class]++
		}
		fmt.Fprintf(t, "%s\t%d", stage, len(all))
		for _, c := range classes {
			fmt.Fprintf(t, "\t%d", of[c])
		}
		fmt.Fprintln(t, "\t")
	}
	count("elaborate")
	roots = passes.Strip(g, passes.Gradient(g, roots...)...)
	count("gradient")
	roots = passes.Simplify(g, roots...)
	count("simplify")
	roots = passes.Lower(g, roots...)
	count("lower")
	t.Flush()
}

// printPlan counts the steps of each procedure and the buffers of each arena.
func printPlan(w io.Writer, plan *ir.Plan) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "procedure\tproducts\tloops\tscalars\treductions\tstores\t")
	for _, p := range procedures(plan) {
		var products, loops, scalars, reductions, stores int
		steps := p.proc.Steps
		for _, r := range p.proc.Routines() {
			steps = append(steps[:len(steps):len(steps)], r.Steps...)
		}
		for _, s := range steps {
			switch {
			case s.Product != nil:
				products++
			case s.Scalar != nil:
				scalars++
			case s.Call != nil: // its routine's steps are counted
			default:
				loops++
				reductions += len(s.Loop.Folds)
				stores += len(s.Loop.Stores)
				for _, pass := range s.Loop.Passes {
					reductions += len(pass.Reduces)
				}
			}
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t\n", p.name, products, loops, scalars, reductions, stores)
	}
	t.Flush()
	fmt.Fprintln(w)
	for _, a := range arenas(plan) {
		fmt.Fprintf(w, "arena %s: %d buffers, %s\n", a.name, len(a.arena.Buffers), lengths(a.arena))
	}
}

// lengths is an arena's elements by type.
func lengths(a ir.Arena) string {
	var parts []string
	for t, d := range a.Length {
		parts = append(parts, fmt.Sprintf("%v %v", d, t))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	sort.Strings(parts)
	return strings.Join(parts, ", ")
}

// A namedProcedure is a procedure of a plan under a name that says whose it is.
type namedProcedure struct {
	name string
	proc *ir.Procedure
}

func procedures(plan *ir.Plan) []namedProcedure {
	var out []namedProcedure
	for _, m := range plan.Models {
		for _, p := range m.Procedures() {
			out = append(out, namedProcedure{m.Model.Name + "." + p.Name, p})
		}
	}
	for _, f := range plan.Funcs {
		for _, e := range f.Entries {
			out = append(out, namedProcedure{f.Func.Name + e.Suffix, e.Proc})
		}
	}
	return out
}

// A namedArena is an arena with the sequences of procedures that run on it.
type namedArena struct {
	name  string
	arena ir.Arena
}

func arenas(plan *ir.Plan) []namedArena {
	var out []namedArena
	for _, m := range plan.Models {
		out = append(out, namedArena{m.Model.Name + " trainer", m.Trainer}, namedArena{m.Model.Name + " predictor", m.Reader})
	}
	for _, f := range plan.Funcs {
		for _, e := range f.Entries {
			out = append(out, namedArena{f.Func.Name + e.Suffix, e.Arena})
		}
	}
	return out
}
