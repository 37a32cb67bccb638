package codegen

import (
	"fmt"
	"strings"

	"gradgen.dev/ir"
)

// doc is the doc comment of an entry: what it computes, the formulas that were
// compiled, when it panics.
func (e *entry) doc() string {
	text := e.what()
	list, shapes := stated(e.Proc.Steps)
	text += strings.TrimSuffix(section("", list, shapes), "\n")
	text = strings.ReplaceAll(text, "\n\n\n", "\n\n")

	// When it panics, and what it allocates.
	if conditions := e.conditions(); conditions != "" {
		text += "\n\n" + conditions
	}
	if e.work != "" {
		text += fmt.Sprintf("\n\nwork is scratch memory of at least %sWork elements; nil allocates it.", e.name0())
	}
	return text
}

// what says in words what an entry computes.
func (e *entry) what() string {
	of, base := e.name0(), e.name0()
	var by []string
	for _, i := range e.FuncEntry.Params {
		by = append(by, e.params[i])
	}
	at := enumerate(e.params[:len(e.ir.Params)])
	out := enumerate(e.outputs)
	extra := enumerate(e.params[len(e.ir.Params):])
	byText := ""
	if len(e.ir.Params) > 1 {
		byText = " by " + enumerate(by)
	}
	switch strings.Join(e.Kinds, " ") {
	case "value":
		doc := documented(base, e.ir.Doc, fmt.Sprintf("the function %s of %s", e.ir.Name, e.opts.Source))
		if out != "" {
			doc += fmt.Sprintf(" It sets %s.", out)
		}
		return doc + " It keeps no state: any number of goroutines may call it and its derivatives."
	case "grad":
		return fmt.Sprintf("%s the gradient of %s%s at %s.", e.gives(out), of, byText, at)
	case "value grad":
		grad := strings.Replace(e.name, "ValueGrad", "Grad", 1)
		if out == "" {
			return fmt.Sprintf("%s returns the value of %s, then what %s returns, at little more cost.", e.name, of, grad)
		}
		return fmt.Sprintf("%s is %s and returns the value of %s, at little more cost.", e.name, grad, of)
	case "jacobian":
		return fmt.Sprintf("%s sets %s, in rows, to the Jacobian of %s%s at %s: element i, j is the derivative of element i of the value by element j.", e.name, out, of, byText, at)
	case "hessian":
		if len(by) > 1 {
			return fmt.Sprintf("%s sets %s, in rows, to the blocks on the diagonal of the Hessian of %s%s at %s: the second derivatives by each of them alone. Both triangles are written.", e.name, out, of, byText, at)
		}
		return fmt.Sprintf("%s sets %s, in rows, to the Hessian of %s%s at %s. Both triangles are written.", e.name, out, of, byText, at)
	case "vjp":
		return fmt.Sprintf("%s the product of %s with the Jacobian of %s%s at %s, without the Jacobian.", e.gives(out), extra, of, byText, at)
	case "jvp":
		return fmt.Sprintf("%s the product of the Jacobian of %s%s at %s with %s, without the Jacobian.", e.gives(out), of, byText, at, extra)
	case "hvp":
		return fmt.Sprintf("%s the product of the Hessian of %s%s at %s with %s, without the Hessian.", e.gives(out), of, byText, at, extra)
	}
	return e.name + " is a derivative of " + of + "."
}

// gives starts a sentence about what an entry sets, or returns.
func (e *entry) gives(out string) string {
	if out == "" {
		return e.name + " returns"
	}
	return e.name + " sets " + out + " to"
}

// conditions says when the function panics.
func (e *entry) conditions() string {
	var slices []string
	for i := range e.Outputs {
		slices = append(slices, e.outputs[i])
	}
	for i, p := range e.operands() {
		if p.Node.Type.Rank() > 0 {
			slices = append(slices, e.params[i])
		}
	}
	if len(slices) == 0 || len(slices) == 1 && len(e.ir.Dims) == 1 && len(requirements(ir.Topological(e.ir.Results...), e.ir.Facts)) == 0 {
		return ""
	}
	var shapes []string
	for i, out := range e.Outputs {
		shapes = append(shapes, e.outputs[i]+" "+shapeText(out.Type.Shape))
	}
	for i, p := range e.operands() {
		if p.Node.Type.Rank() > 0 {
			shapes = append(shapes, e.params[i]+" "+shapeText(p.Node.Type.Shape))
		}
	}
	text := "It panics unless the lengths fit: " + strings.Join(shapes, ", ") + "."
	if len(e.Outputs) > 0 {
		text += " What is set may not overlap the rest."
	}
	return text
}
