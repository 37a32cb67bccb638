package dsl

import "github.com/alecthomas/participle/v2/lexer"

// The limits of a file. Nesting counts brackets, blocks, conditionals, signs and
// powers; a chain is a run of operators, calls or stages without brackets; elements
// are those of one list, arguments and names included.
const (
	maxFileSize = 16 << 20
	maxNesting  = 200
	maxChain    = 1000
	maxElements = 100_000
)

// checkNesting reports the first token that is nested too deeply, if any. It goes
// before everything that recurses over a program.
func checkNesting(file *File, tokens []lexer.Token) *Diagnostic {
	var c nesting
	for i, t := range tokens {
		c.step(t, i > 0 && endsOperand(tokens[i-1]))
		if c.depth > maxNesting {
			span := Span{file, t.Pos.Offset, tokenEnd(t)}
			return errorAt(span, "nesting is deeper than the limit of %d", maxNesting).code("text-limit")
		}
	}
	return nil
}

// nesting counts how deeply the tokens so far are nested.
type nesting struct {
	depth  int
	frames []nestFrame // the brackets and scan heads around the innermost
	frame  nestFrame   // the innermost
}

// nestFrame is an open bracket, or the head of a scan up to its block. It counts what
// nests to the right since it began, or since its last expression ended.
type nestFrame struct {
	scan         bool
	signs, conds int
}

// step counts one token; operand tells whether the token before it ends an operand.
func (c *nesting) step(t lexer.Token, operand bool) {
	if t.Type == tokenString || t.Type == tokenIdent {
		return
	}
	switch t.Value {
	case "(", "[":
		c.open(nestFrame{})
	case "{":
		c.closeScan()
		c.open(nestFrame{})
	case ")", "]", "}":
		for c.frame.scan {
			c.close()
		}
		c.close()
	case "scan":
		c.open(nestFrame{scan: true})
	case "^", "!":
		c.sign()
	case "-":
		if operand {
			c.endOperand()
		} else {
			c.sign()
		}
	case "param":
		// In an optimizer it is an operand.
	case "then":
		c.endOperand()
		c.frame.conds++
		c.depth++
	case "+", "*", "/", "%", "@", "&&", "||", "==", "!=", "<", "<=", ">", ">=", "|>", "if", "else":
		c.endOperand()
	case "=", "<-", ",", ":", "..":
		c.endExpr()
	default:
		if startsStmt[t.Value] || startsDecl[t.Value] {
			c.endExpr()
		}
	}
}

// open enters a bracket or a scan head.
func (c *nesting) open(f nestFrame) {
	c.frames = append(c.frames, c.frame)
	c.frame = f
	c.depth++
}

// close leaves the innermost bracket or scan head.
func (c *nesting) close() {
	c.endExpr()
	if len(c.frames) > 0 {
		c.frame = c.frames[len(c.frames)-1]
		c.frames = c.frames[:len(c.frames)-1]
		c.depth--
	}
}

// closeScan leaves the scan head whose block begins, if there is one.
func (c *nesting) closeScan() {
	if c.frame.scan {
		c.close()
	}
}

// sign counts an operator whose operand stands to its right.
func (c *nesting) sign() {
	c.frame.signs++
	c.depth++
}

// endOperand forgets signs and powers.
func (c *nesting) endOperand() {
	c.depth -= c.frame.signs
	c.frame.signs = 0
}

// endExpr forgets all that nested to the right.
func (c *nesting) endExpr() {
	c.endOperand()
	c.depth -= c.frame.conds
	c.frame.conds = 0
}

// endsOperand reports whether an operand can end with a token, so that a - after it
// is binary.
func endsOperand(t lexer.Token) bool {
	switch t.Type {
	case tokenIdent, tokenElem, tokenNumber, tokenString:
		return true
	}
	switch t.Value {
	case ")", "]", "}", "'", "true", "false", "inf", "nan", "param":
		return true
	}
	return false
}
