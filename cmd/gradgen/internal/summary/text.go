package summary

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"gradgen.dev/ir"
)

// Text writes the table. Dimensions that values has are put in.
func (t Table) Text(w io.Writer, values map[string]int) error {
	show := func(d ir.Dim) string { return amount(d, values) }
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", t.Kind, t.Name)
	if t.Source != "" {
		fmt.Fprintf(&b, " (%s)", t.Source)
	}
	b.WriteByte('\n')
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if len(t.Rows) > 0 {
		fmt.Fprintf(table, "  instance\toutput\tparameters\tflops\n")
		params, flops := ir.D(0), ir.D(0)
		for _, r := range t.Rows {
			name := "  " + strings.Repeat("  ", r.Depth) + r.Path
			if r.Path == "" {
				name = "  (itself)"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", name, r.Output, show(r.Params), show(r.Flops))
			if r.Depth == 0 {
				params, flops = params.Add(r.Params), flops.Add(r.Flops)
			}
		}
		fmt.Fprintf(table, "  total\t\t%s\t%s\n", show(params), show(flops))
		if err := table.Flush(); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	for _, x := range t.Totals {
		text := show(x.Value) + " " + x.Unit
		if n, ok := put(x.Value, values).Const(); ok && x.Unit == "bytes" {
			text += scaled(n)
		}
		if x.Note != "" {
			text += " (" + x.Note + ")"
		}
		fmt.Fprintf(table, "  %s\t%s\n", x.Name, text)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// put is d with the values of dimensions put in.
func put(d ir.Dim, values map[string]int) ir.Dim {
	return d.Subst(func(name string) (ir.Dim, bool) {
		n, ok := values[name]
		return ir.D(n), ok
	})
}

// amount is a number or a formula.
func amount(d ir.Dim, values map[string]int) string { return put(d, values).String() }

// scaled is a number of bytes in a larger unit, "" where it is small.
func scaled(n int) string {
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	x := float64(n) / 1024
	if x < 1 {
		return ""
	}
	for x >= 1024 && len(units) > 1 {
		x /= 1024
		units = units[1:]
	}
	return fmt.Sprintf(" = %.1f %s", x, units[0])
}
