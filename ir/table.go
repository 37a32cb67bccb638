package ir

import (
	"fmt"
	"strings"
)

// OpTable is the op table as Markdown, a row for each op in the order of
// registration: name, class, what it computes, and the cotangent of each
// operand by its name where dy is that of the result y.
func OpTable() string {
	var b strings.Builder
	b.WriteString("| op | class | what | derivative |\n| --- | --- | --- | --- |\n")
	for _, name := range OpNames {
		op := Ops[name]
		fmt.Fprintf(&b, "| `%s` | %v | %s | %s |\n", name, op.Class, cell(op.Doc), cell(op.derivative()))
	}
	return b.String()
}

// derivative is the rules of op in one line, a dash where there is none.
func (op *Op) derivative() string {
	var parts []string
	for i, rule := range op.Rules {
		switch {
		case rule == "":
			continue
		case op.Arity == 1 || op.Arity < 0:
			parts = append(parts, "`"+rule+"`")
		default:
			parts = append(parts, fmt.Sprintf("%c: `%s`", 'a'+i, rule))
		}
	}
	if len(parts) == 0 {
		return "–"
	}
	return strings.Join(parts, "; ")
}

// cell is text with what would end a table's cell escaped.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
