package draw

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
)

// sketched is a graph of vertices with the names in names, which edges such as
// a>b lead between. Groups are in brackets: a [g b c].
func sketched(t *testing.T, names, edges string) *Graph {
	t.Helper()
	g := &Graph{Root: &Group{}}
	vertex := map[string]*Vertex{}
	within := g.Root
	for word := range strings.FieldsSeq(names) {
		if title, ok := strings.CutPrefix(word, "["); ok {
			inner := &Group{Title: title, Path: title, Parent: within}
			within.Groups = append(within.Groups, inner)
			within = inner
			continue
		}
		name := strings.TrimRight(word, "]")
		if name != "" {
			v := &Vertex{Name: name, Shape: "[N]", Kind: Value, Group: within}
			vertex[name] = v
			within.Vertices = append(within.Vertices, v)
			g.Vertices = append(g.Vertices, v)
		}
		for range len(word) - len(name) {
			within = within.Parent
		}
	}
	for word := range strings.FieldsSeq(edges) {
		from, to, _ := strings.Cut(word, ">")
		if vertex[from] == nil || vertex[to] == nil {
			t.Fatalf("no vertices for the edge %s", word)
		}
		vertex[to].From = append(vertex[to].From, vertex[from])
		vertex[from].used = true
	}
	return g
}

// program elaborates a text.
func program(t *testing.T, path, text string) *ir.Program {
	t.Helper()
	file, syntax := dsl.Parse(path, []byte(text))
	p, meaning := dsl.Elaborate(file, dsl.Options{Open: os.ReadFile})
	if found := append(syntax, meaning...); len(found) > 0 {
		t.Fatal(path, found[0].Message)
	}
	return p
}

// drawn is the graph of all that a program has.
func drawn(p *ir.Program) *Graph {
	var entries []Entry
	for _, m := range p.Models {
		if m.Train != nil {
			entries = append(entries, ModelEntry(m, m.Train))
		}
	}
	for _, f := range p.Funcs {
		entries = append(entries, FuncEntry(f))
	}
	return New(p.Graph, p.Source, entries)
}

// both is the graph in DOT, and as SVG.
func both(t *testing.T, g *Graph) (dot, svg string) {
	t.Helper()
	var b, c strings.Builder
	if err := errors.Join(g.DOT(&b), g.SVG(&c)); err != nil {
		t.Fatal(err)
	}
	return b.String(), c.String()
}

// lines is the texts in a picture, which must be well-formed.
func lines(t *testing.T, svg string) []string {
	t.Helper()
	var out []string
	within := ""
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		switch x := token.(type) {
		case xml.StartElement:
			within = x.Name.Local
		case xml.EndElement:
			within = ""
		case xml.CharData:
			if within == "text" || within == "title" {
				out = append(out, string(x))
			}
		}
	}
}

// Every golden program is drawn: each vertex has its title in the picture, and
// the same program gives the same bytes.
func TestGoldenPrograms(t *testing.T) {
	paths, err := filepath.Glob("../../../../golden/*/*.dnn")
	if err != nil || len(paths) == 0 {
		t.Fatal("no golden programs", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		g := drawn(program(t, path, string(text)))
		dot, svg := both(t, g)
		dot2, svg2 := both(t, drawn(program(t, path, string(text))))
		if dot != dot2 || svg != svg2 {
			t.Errorf("%s is drawn in different bytes", path)
		}
		texts := lines(t, svg)
		for _, v := range g.Vertices {
			if title := v.title(); title != "" && !slices.Contains(texts, title) {
				t.Errorf("%s: the picture lacks %s", path, title)
			}
		}
	}
}

// What a model draws: names, kinds, how values follow, parameters, shapes.
func TestModel(t *testing.T) {
	g := drawn(program(t, "net.dnn", `
model Net {
    input x [B, 4]
    input y [B]int32
    h = dense(x, 3, act: tanh)
    output logits = dense(h, 2)
    loss   cross_entropy(logits, y)
    train  sgd(lr: 0.1)
}`))
	if g.Title != "model Net of net.dnn" {
		t.Errorf("title %q", g.Title)
	}
	var got []string
	for _, v := range g.Vertices {
		var from []string
		for _, u := range v.From {
			from = append(from, u.Name)
		}
		got = append(got, strings.Join(append(v.lines(), "from "+strings.Join(from, " ")), " | "))
	}
	slices.Sort(got)
	want := []string{
		"each | logsumexp(logits) - logits[y] | from logits y",
		"h | tanh(h.y) | from h.y",
		"h.y | x @ W + b | W [4, 3] | b [3] | from x",
		"input x | from ",
		"input y | from ",
		"loss | mean(each) | [] | from each",
		"output logits | h @ W + b | W [3, 2] | b [2] | from h",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A program that computes nothing is an empty picture, not a broken one.
func TestEmptyProgram(t *testing.T) {
	g := drawn(program(t, "none.dnn", "const n = 3"))
	dot, svg := both(t, g)
	if len(g.Vertices) != 0 || strings.Contains(dot, "->") {
		t.Errorf("something is drawn:\n%s", dot)
	}
	if !strings.HasPrefix(dot, "digraph {\n\tlabel=\"none.dnn\"\n") || !strings.HasSuffix(dot, "}\n") {
		t.Errorf("DOT:\n%s", dot)
	}
	if got := lines(t, svg); !slices.Contains(got, "none.dnn") {
		t.Errorf("texts %q", got)
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("sizes:\n%s", svg)
	}
}

// Names of any script, and signs that mean something in DOT or XML, come
// through.
func TestEscapes(t *testing.T) {
	g := sketched(t, "θ [größe 重み ]", "θ>重み")
	g.Title = "a\\b \"c\" <d> & 'e'.dnn"
	g.Root.Groups[0].Vertices[0].Text = "a < b && \"c\""
	dot, svg := both(t, g)
	for _, want := range []string{
		`label="a\\b \"c\" <d> & 'e'.dnn"`, `label="größe"`, `[label="θ" `, `label="重み\na < b && \"c\"\n[N]"`,
	} {
		if !strings.Contains(dot, want) {
			t.Errorf("DOT lacks %s:\n%s", want, dot)
		}
	}
	texts := lines(t, svg)
	for _, want := range []string{g.Title, "θ", "größe", "重み", "a < b && \"c\""} {
		if !slices.Contains(texts, want) {
			t.Errorf("SVG lacks %s among %q", want, texts)
		}
	}

	// What XML cannot write at all does not break the picture.
	g.Title = "bell\a and \xff.dnn"
	if _, svg := both(t, g); !slices.Contains(lines(t, svg), "bell\uFFFD and \uFFFD.dnn") {
		t.Error("the title is not in the picture")
	}
}
