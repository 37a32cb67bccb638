package codegen

import (
	"go/token"
	"strconv"
	"strings"
	"unicode"

	"gradgen.dev/ir"
)

// initialisms are the words that Go writes wholly in capitals.
var initialisms = setOf("api", "bce", "cpu", "dns", "gpu", "html", "http", "id", "ip", "json", "kl", "lr",
	"mae", "mlp", "mse", "nll", "ram", "rmse", "rpc", "ui", "uid", "uri", "url", "utf8", "uuid", "vae", "xml")

// predeclared may not be the name of a local: emitted code uses them.
var predeclared = setOf("any", "append", "bool", "byte", "cap", "clear", "copy", "error", "false", "float32", "float64", "int",
	"int32", "int64", "len", "make", "max", "min", "new", "nil", "panic", "string", "true", "uint64")

func setOf(words ...string) map[string]bool {
	set := map[string]bool{}
	for _, w := range words {
		set[w] = true
	}
	return set
}

// exported is a name or path of the program as an exported Go name: _ and the
// periods of a path are removed and the next letter is raised, initialisms
// wholly; where the first letter has no case, X stands before it.
func exported(name string) string {
	out := camel(name)
	if first := firstRune(out); !unicode.IsUpper(first) {
		return "X" + out
	}
	return out
}

// FuncName is the Go name of an entry of an exported function, such as EnergyGradX.
func FuncName(f *ir.Func, e *ir.FuncEntry) string { return exported(f.Name) + e.Suffix }

// raised is a word with its first letter raised.
func raised(word string) string {
	if initialisms[word] {
		return strings.ToUpper(word)
	}
	first := firstRune(word)
	return string(unicode.ToUpper(first)) + word[len(string(first)):]
}

// unexported is a name or path of the program, or a Go name, as an unexported Go
// name: capital letters at the start of its first word are lowered, all but the
// last before a small one, so that W is w, LRScale is lrScale and h.W is hW.
func unexported(name string) string {
	name = strings.TrimLeft(name, "_.")
	end := strings.IndexAny(name, "_.")
	if end < 0 {
		end = len(name)
	}
	letters := []rune(raised(name[:end]))
	if len(letters) > 0 && !unicode.IsUpper(letters[0]) {
		letters = append([]rune{'x'}, letters...) // a script without case
	}
	for i, r := range letters {
		if !unicode.IsUpper(r) || i > 0 && i+1 < len(letters) && unicode.IsLower(letters[i+1]) {
			break
		}
		letters[i] = unicode.ToLower(r)
	}
	return string(letters) + camel(name[end:])
}

// camel is the words of a name or path in one, each with its first letter
// raised.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '_' || r == '.' }) {
		b.WriteString(raised(word))
	}
	return b.String()
}

// article is the word before name: a or an.
func article(name string) string {
	if strings.ContainsRune("AEIOU", firstRune(name)) {
		return "an " + name
	}
	return "a " + name
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

// samePackage reports whether a model is named as its package, so that what is
// exported for it drops its name.
func samePackage(model, pkg string) bool {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	return plain(model) == plain(pkg)
}

// A scope is the names of one struct, package or function.
type scope struct {
	taken map[string]bool
}

func newScope(reserved ...string) *scope { return &scope{taken: setOf(reserved...)} }

// localScope is the scope of a function's locals: keywords, what is predeclared
// and the packages of the runtime are taken.
func localScope(reserved ...string) *scope {
	s := newScope(reserved...)
	for name := range packages {
		s.taken[name] = true
	}
	for name := range predeclared {
		s.taken[name] = true
	}
	return s
}

// free is name, or one like it where it is taken: the suffix is put behind it,
// then a number.
func (s *scope) free(name, suffix string) string {
	out := name
	if s.taken[out] || token.IsKeyword(out) {
		out = strings.TrimRight(name, "_") + suffix
	}
	for i := 2; s.taken[out]; i++ {
		out = strings.TrimRight(name, "_") + suffix + strconv.Itoa(i)
	}
	return out
}

// take is free, and the name is taken from then on.
func (s *scope) take(name, suffix string) string {
	out := s.free(name, suffix)
	s.taken[out] = true
	return out
}

// A NameError says that two names of a program meet in Go, or one meets a name
// of the emitted API.
type NameError struct {
	Pos  string // file:line:column
	Text string
}

// Error is "file:line:column: text".
func (e *NameError) Error() string { return e.Pos + ": " + e.Text }

// packageNames is what the package's names stand for, in a message.
type packageNames struct {
	of map[string]string
}

func newPackageNames() *packageNames { return &packageNames{of: map[string]string{}} }

// declare takes name for what, and reports what has it already.
func (n *packageNames) declare(name, what string) (old string, ok bool) {
	if old, taken := n.of[name]; taken {
		return old, false
	}
	n.of[name] = what
	return "", true
}

// A member is a name of the program that becomes a field of a Go struct.
type member struct {
	name string // in the program
	what string // input, output, …
	pos  string
}

// fields gives the members of a struct their Go names. Two that meet, or one
// that meets a reserved name, are noted as clashes.
func (p *printer) fields(of string, reserved map[string]string, members []member) []string {
	names := make([]string, len(members))
	owner := map[string]member{}
	for i, m := range members {
		names[i] = exported(m.name)
		if api, ok := reserved[names[i]]; ok {
			p.clash(m.pos, "%s %s would be %s.%s in Go, which is %s; another name, such as %s_value, is free", m.what, m.name, of, names[i], api, m.name)
			continue
		}
		if old, ok := owner[names[i]]; ok {
			p.clash(m.pos, "%s %s and %s %s would both be %s.%s in Go; another name, such as %s2, is free",
				m.what, m.name, old.what, old.name, of, names[i], m.name)
			continue
		}
		owner[names[i]] = m
	}
	return names
}
