package draw

import (
	"fmt"
	"io"
	"strings"
)

// DOT writes the graph in Graphviz's language, with a cluster for each group.
func (g *Graph) DOT(w io.Writer) error {
	var b strings.Builder
	id := map[*Vertex]int{}
	for i, v := range g.Vertices {
		id[v] = i
	}
	fmt.Fprintf(&b, "digraph {\n\tlabel=%s\n\tlabelloc=t\n\tfontname=Helvetica\n", quoted(g.Title))
	b.WriteString("\tnode [shape=box style=\"rounded,filled\" fontname=Helvetica fontsize=11]\n\tedge [fontname=Helvetica fontsize=9]\n")
	clusters := 0
	g.Root.dot(&b, "\t", id, &clusters)
	for _, e := range g.edges() {
		fmt.Fprintf(&b, "\tv%d -> v%d [label=%s]\n", id[e.from], id[e.to], quoted(e.from.Shape))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dot writes the vertices of a group, and the groups in it.
func (g *Group) dot(b *strings.Builder, indent string, id map[*Vertex]int, clusters *int) {
	for _, v := range g.Vertices {
		fmt.Fprintf(b, "%sv%d [label=%s fillcolor=%s]\n", indent, id[v], quoted(strings.Join(v.lines(), "\n")), quoted(palette[v.Kind].fill))
	}
	for _, c := range g.Groups {
		fmt.Fprintf(b, "%ssubgraph cluster%d {\n%s\tlabel=%s\n%s\tstyle=\"rounded,filled\"\n%s\tfillcolor=\"#f4f5f7\"\n", indent, *clusters, indent, quoted(c.Title), indent, indent)
		*clusters++
		c.dot(b, indent+"\t", id, clusters)
		fmt.Fprintf(b, "%s}\n", indent)
	}
}

// quoted is a string of DOT.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}

// lines is what stands in a vertex: its title, how it is computed, its
// parameters, and the shape of what nothing else uses.
func (v *Vertex) lines() []string {
	var out []string
	if t := v.title(); t != "" {
		out = append(out, t)
	}
	if v.Text != "" {
		out = append(out, v.Text)
	}
	out = append(out, v.Params...)
	if !v.used {
		out = append(out, v.Shape)
	}
	return out
}
