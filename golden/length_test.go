package golden

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

// mostStatements is how many statements an emitted function may have.
const mostStatements = 400

// TestLength counts the statements of every emitted function, those of blocks
// and of functions inside it included.
func TestLength(t *testing.T) {
	longest := 0
	for _, name := range cases(t) {
		files, err := filepath.Glob(filepath.Join(name, "*_dnn*.go"))
		check(t, err)
		for _, path := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			check(t, err)
			for _, d := range parsed.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				n := statements(f.Body)
				if longest = max(longest, n); n > mostStatements {
					t.Errorf("%s: %s has %d statements", path, f.Name.Name, n)
				}
			}
		}
	}
	if longest < mostStatements/2 {
		t.Errorf("the longest function has %d statements: no case is long enough", longest)
	}
}

// statements counts what is no block.
func statements(body *ast.BlockStmt) int {
	n := 0
	ast.Inspect(body, func(x ast.Node) bool {
		if s, ok := x.(ast.Stmt); ok {
			if _, block := s.(*ast.BlockStmt); !block {
				n++
			}
		}
		return true
	})
	return n
}
