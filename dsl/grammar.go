package dsl

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// The grammar of .dnn text, as participle reads it off the types below. Their
// names end in G; syntax.go has the tree that convert.go makes of them.
//
// Three parsers share these types: one reads a declaration, one a statement of a
// body, one a statement of a train block. parse.go calls them once for each
// declaration and statement, so that an error ends only its own. A block is one
// token <block> here (nest.go), whose contents are parsed afterwards; that holds
// for the block of a scan inside an expression too.
//
// No alternative is tried after a token of another has matched (lookahead 0):
// where two tokens decide, a group (?= …) or (?! …) looks at both. The tokens
// <ident>, <elem>, <number>, <string> and <block> are made in lexer.go; reserved
// words are keywords and never <ident>, all other words in quotes below are
// ordinary identifiers that mean something only here.
//
//	Decl      = "package" Name | "import" <string> | "dtype" <elem>
//	          | "const" Name "=" Expr | Fn | Layer | Model | Optimizer .
//	Fn        = "export"? "fn" Name Params Type? ("=" Expr ("," Expr)* | <block>) Grad? Derive? .
//	Grad      = "grad" "(" Name ")" "=" Expr ("," Expr)* .
//	Derive    = "derive" Form ("," Form)* .           Form = Name ("(" Name ("," Name)* ")")? .
//	Layer     = "layer" Name Params Type? ("=" Expr ("," Expr)* | <block>) .
//	Model     = "model" Name Params? <block> .
//	Optimizer = "optimizer" Name Params <block> .
//	Params    = "(" (Param ("," Param)* ","?)? ")" .  Param = Name (Type | <ident> | "fn")? ("=" Expr)? .
//	Type      = Shape <elem>? | <elem> .
//	Shape     = "[" (Dim ("," Dim)* ","?)? "]" .      Dim = "..." | Expr "..."? .
//
//	Stmt      = "input" Name Type
//	          | ("param" | "state" | "carry") Name Type? ("=" Expr)?
//	          | "shared" Name "=" Expr
//	          | "for" Name "in" Expr ".." Expr <block>
//	          | "if" Expr <block> ("else" "if" Expr <block>)* ("else" <block>)?
//	          | "assert" Expr ("," <string>)?
//	          | "return" Expr ("," Expr)*
//	          | "emit" Emitted ("," Emitted)*
//	          | "output" Name ("=" Expr)?
//	          | ("loss" | "metric") (Name "=")? Expr
//	          | Train | Fn
//	          | Target ("," Target)* ("=" | "<-") Expr .
//	Emitted   = Expr ("along" Expr)? .                Target = <ident> | "param" .
//	Train     = "train" Name? Name Args For? <block>? .
//	For       = "for" Pattern ("," Pattern)* .        (not "for" <ident> "in")
//	Pattern   = Segment ("." Segment)* .
//	Segment   = "*" | "**" | <ident> | <number> | "{" Expr (".." Expr)? "}" .
//	Clause    = "clip" Name Expr | "decay" Expr For? | "freeze" Pattern ("," Pattern)*
//	          | "use" Name? Args For | "average" Name Args | "accumulate" Expr
//	          | "check" Name | the "for" and "if" of Stmt .
//
//	Expr      = Cond ("|>" Stage)* .                  Stage = Name ("." Field)* Args? As? .
//	Cond      = "if" Expr "then" Expr "else" Cond | Chain .
//	Chain     = Unary (<op> Unary)* .                 by precedence, as fold makes the tree
//	Unary     = ("-" | "!")* Postfix ("^" Unary)? .
//	Postfix   = Primary (Args As? | "[" Item ("," Item)* "]" | "." Field | "'")* .
//	Args      = "(" (Arg ("," Arg)* ","?)? ")" .      Arg = (Name ":")? Expr .
//	As        = "as" Name .                           Field = <ident> | <number> .
//	Item      = "..." | ":" Expr? | Expr (":" Expr?)? .
//	Primary   = Scan | "(" Expr ")" | "[" (Expr ("," Expr)* ","?)? "]"
//	          | <ident> | <number> | <string> | <elem> | "true" | "false" | "inf" | "nan" | "param" .
//	Scan      = "scan" Name "in" "reverse"? Expr ".." Expr
//	            ("with" Name "=" Expr ("," Name "=" Expr)*)? ("until" Expr)? <block> .
//
// Chain also takes the operators "**", which is reported when the tree is made,
// and "<-", which is "<" and "-".
var (
	declParser   = build[declG]()
	stmtParser   = build[stmtG]()
	clauseParser = build[clauseG]()
)

// build makes the parser of a production. participle's limit of repetitions bounds the
// memory that one statement can take.
func build[G any]() *participle.Parser[G] {
	participle.MaxIterations = maxElements
	return participle.MustBuild[G](participle.Lexer(symbols{}), participle.UseLookahead(0))
}

// tokensG is what every production keeps: all its tokens, for its span.
type tokensG = []lexer.Token

// Declarations.

type declG struct {
	Tokens    tokensG
	Package   *nameG       `parser:"  'package' @@"`
	Import    *lexer.Token `parser:"| 'import' @String"`
	DType     *lexer.Token `parser:"| 'dtype' @Elem"`
	Const     *constG      `parser:"| 'const' @@"`
	Fn        *fnG         `parser:"| @@"`
	Layer     *layerG      `parser:"| 'layer' @@"`
	Model     *modelG      `parser:"| 'model' @@"`
	Optimizer *optimizerG  `parser:"| 'optimizer' @@"`
}

type nameG struct {
	Token lexer.Token `parser:"@Ident"`
}

type constG struct {
	Name  *nameG `parser:"@@"`
	Value *exprG `parser:"'=' @@"`
}

type fnG struct {
	Tokens tokensG
	Export bool         `parser:"@'export'? 'fn'"`
	Name   *nameG       `parser:"@@"`
	Params *paramsG     `parser:"@@"`
	Result *typeG       `parser:"@@?"`
	Value  *exprG       `parser:"( '=' @@"`
	More   []*exprG     `parser:"( ',' @@ )*"`
	Block  *lexer.Token `parser:"| @Block )"`
	Grad   *gradG       `parser:"@@?"`
	Derive []*formG     `parser:"( (?= 'derive' Ident) 'derive' @@ ( ',' @@ )* )?"`
}

type gradG struct {
	Tokens    tokensG
	Cotangent *nameG   `parser:"(?= 'grad' '(') 'grad' '(' @@ ')'"`
	Values    []*exprG `parser:"'=' @@ ( ',' @@ )*"`
}

type formG struct {
	Tokens tokensG
	Form   *nameG   `parser:"@@"`
	Args   []*nameG `parser:"( '(' @@ ( ',' @@ )* ')' )?"`
}

type layerG struct {
	Name   *nameG       `parser:"@@"`
	Params *paramsG     `parser:"@@"`
	Result *typeG       `parser:"@@?"`
	Value  *exprG       `parser:"( '=' @@"`
	More   []*exprG     `parser:"( ',' @@ )*"`
	Block  *lexer.Token `parser:"| @Block )"`
}

type modelG struct {
	Name   *nameG       `parser:"@@"`
	Params *paramsG     `parser:"@@?"`
	Block  *lexer.Token `parser:"@Block"`
}

type optimizerG struct {
	Name   *nameG       `parser:"@@"`
	Params *paramsG     `parser:"@@"`
	Block  *lexer.Token `parser:"@Block"`
}

type paramsG struct {
	List []*paramG `parser:"'(' ( @@ ( (?! ',' ')') ',' @@ )* ','? )? ')'"`
}

type paramG struct {
	Tokens  tokensG
	Name    *nameG       `parser:"@@"`
	Type    *typeG       `parser:"( @@"`
	Kind    *lexer.Token `parser:"| @( 'fn' | Ident ) )?"`
	Default *exprG       `parser:"( '=' @@ )?"`
}

type typeG struct {
	Tokens tokensG
	Shape  *shapeG      `parser:"  @@"`
	Elem   *lexer.Token `parser:"  @Elem?"`
	Bare   *lexer.Token `parser:"| @Elem"`
}

type shapeG struct {
	Tokens tokensG
	Dims   []*dimG `parser:"'[' ( @@ ( (?! ',' ']') ',' @@ )* ','? )? ']'"`
}

type dimG struct {
	Tokens tokensG
	Any    bool   `parser:"  @'...'"`
	Expr   *exprG `parser:"| @@"`
	Spread bool   `parser:"  @'...'?"`
}

// Statements.

type stmtG struct {
	Tokens tokensG
	Input  *inputG  `parser:"  'input' @@"`
	Var    *varG    `parser:"| @@"`
	Shared *constG  `parser:"| 'shared' @@"`
	For    *forG    `parser:"| 'for' @@"`
	If     *ifG     `parser:"| @@"`
	Assert *assertG `parser:"| 'assert' @@"`
	Return []*exprG `parser:"| 'return' @@ ( ',' @@ )*"`
	Emit   []*emitG `parser:"| 'emit' @@ ( ',' @@ )*"`
	Output *outputG `parser:"| 'output' @@"`
	Loss   *lossG   `parser:"| 'loss' @@"`
	Metric *lossG   `parser:"| 'metric' @@"`
	Train  *trainG  `parser:"| 'train' @@"`
	Fn     *fnG     `parser:"| @@"`
	Assign *assignG `parser:"| @@"`
}

type inputG struct {
	Name *nameG `parser:"@@"`
	Type *typeG `parser:"@@"`
}

type varG struct {
	Kind *lexer.Token `parser:"(?! 'param' ( '<-' | '=' | ',' ) ) @( 'param' | 'state' | 'carry' )"`
	Name *nameG       `parser:"@@"`
	Type *typeG       `parser:"@@?"`
	Init *exprG       `parser:"( '=' @@ )?"`
}

type forG struct {
	Name  *nameG       `parser:"@@ 'in'"`
	Lo    *exprG       `parser:"@@ '..'"`
	Hi    *exprG       `parser:"@@"`
	Block *lexer.Token `parser:"@Block"`
}

type ifG struct {
	Tokens tokensG
	Cond   *exprG       `parser:"'if' @@"`
	Then   *lexer.Token `parser:"@Block"`
	Elifs  []*elifG     `parser:"@@*"`
	Else   *lexer.Token `parser:"( 'else' @Block )?"`
}

type elifG struct {
	Tokens tokensG
	Cond   *exprG       `parser:"(?= 'else' 'if') 'else' 'if' @@"`
	Then   *lexer.Token `parser:"@Block"`
}

type assertG struct {
	Cond    *exprG       `parser:"@@"`
	Message *lexer.Token `parser:"( ',' @String )?"`
}

type emitG struct {
	Tokens tokensG
	Value  *exprG `parser:"@@"`
	Along  *exprG `parser:"( (?! 'along' ( '=' | '<-' | ',' ) ) 'along' @@ )?"`
}

type outputG struct {
	Name  *nameG `parser:"@@"`
	Value *exprG `parser:"( '=' @@ )?"`
}

type lossG struct {
	Name  *nameG `parser:"( (?= Ident '=') @@ '=' )?"`
	Value *exprG `parser:"@@"`
}

type trainG struct {
	Loss  *nameG       `parser:"( (?= Ident Ident) @@ )?"`
	Rule  *ruleG       `parser:"@@"`
	For   []*patternG  `parser:"( (?! 'for' Ident 'in') 'for' @@ ( ',' @@ )* )?"`
	Block *lexer.Token `parser:"@Block?"`
}

type ruleG struct {
	Tokens tokensG
	Name   *nameG `parser:"@@"`
	Args   *argsG `parser:"@@"`
}

type assignG struct {
	Targets []*targetG   `parser:"(?! 'param' Ident) @@ ( ',' @@ )*"`
	Op      *lexer.Token `parser:"@( '=' | '<-' )"`
	Value   *exprG       `parser:"@@"`
}

type targetG struct {
	Token lexer.Token `parser:"@( Ident | 'param' )"`
}

// Statements of a train block.

type clauseG struct {
	Tokens     tokensG
	Clip       *clipG      `parser:"  'clip' @@"`
	Decay      *decayG     `parser:"| 'decay' @@"`
	Freeze     []*patternG `parser:"| 'freeze' @@ ( ',' @@ )*"`
	Use        *useG       `parser:"| 'use' @@"`
	Average    *ruleG      `parser:"| 'average' @@"`
	Accumulate *exprG      `parser:"| 'accumulate' @@"`
	Check      *nameG      `parser:"| 'check' @@"`
	For        *forG       `parser:"| 'for' @@"`
	If         *ifG        `parser:"| @@"`
}

type clipG struct {
	Form  *nameG `parser:"@@"`
	Limit *exprG `parser:"@@"`
}

type decayG struct {
	Value *exprG      `parser:"@@"`
	For   []*patternG `parser:"( (?! 'for' Ident 'in') 'for' @@ ( ',' @@ )* )?"`
}

type useG struct {
	Rule *nameG      `parser:"@@?"`
	Args *argsG      `parser:"@@"`
	For  []*patternG `parser:"'for' @@ ( ',' @@ )*"`
}

type patternG struct {
	Tokens   tokensG
	Segments []*segmentG `parser:"@@ ( '.' @@ )*"`
}

type segmentG struct {
	Tokens tokensG
	Word   *lexer.Token `parser:"  @( '*' | '**' | Ident | Number )"`
	Lo     *exprG       `parser:"| '{' @@"`
	Hi     *exprG       `parser:"  ( '..' @@ )? '}'"`
}

// Expressions.

type exprG struct {
	Tokens tokensG
	Head   *condG    `parser:"@@"`
	Stages []*stageG `parser:"@@*"`
}

type stageG struct {
	Tokens tokensG
	Op     lexer.Token `parser:"@'|>'"`
	Name   *nameG      `parser:"@@"`
	Fields []*fieldG   `parser:"@@*"`
	Args   *argsG      `parser:"@@?"`
	As     *asG        `parser:"@@?"`
}

type condG struct {
	Tokens tokensG
	Chain  *chainG `parser:"  @@"`
	If     *exprG  `parser:"| 'if' @@"`
	Then   *exprG  `parser:"  'then' @@"`
	Else   *condG  `parser:"  'else' @@"`
}

type chainG struct {
	First *unaryG  `parser:"@@"`
	Rest  []*linkG `parser:"@@*"`
}

type linkG struct {
	Op lexer.Token `parser:"@Op"`
	X  *unaryG     `parser:"@@"`
}

type unaryG struct {
	Tokens tokensG
	Signs  []*signG  `parser:"@@*"`
	X      *postfixG `parser:"@@"`
	Hat    *hatG     `parser:"@@?"`
}

type signG struct {
	Token lexer.Token `parser:"@( '-' | '!' )"`
}

type hatG struct {
	Op  lexer.Token `parser:"@'^'"`
	Exp *unaryG     `parser:"@@"`
}

type postfixG struct {
	Primary  *primaryG  `parser:"@@"`
	Suffixes []*suffixG `parser:"@@*"`
}

type suffixG struct {
	Tokens tokensG
	Args   *argsG   `parser:"( @@"`
	As     *asG     `parser:"  @@? )"`
	Items  []*itemG `parser:"| '[' @@ ( (?! ',' ']') ',' @@ )* ','? ']'"`
	Field  *fieldG  `parser:"| @@"`
	Quote  bool     `parser:"| @\"'\""`
}

type fieldG struct {
	Token lexer.Token `parser:"'.' @( Ident | Number )"`
}

type asG struct {
	Name *nameG `parser:"(?= 'as' Ident) 'as' @@"`
}

type argsG struct {
	List []*argG `parser:"'(' ( @@ ( (?! ',' ')') ',' @@ )* ','? )? ')'"`
}

type argG struct {
	Tokens tokensG
	Name   *nameG `parser:"( (?= Ident ':') @@ ':' )?"`
	Value  *exprG `parser:"@@"`
}

type itemG struct {
	Tokens   tokensG
	Ellipsis bool    `parser:"  @'...'"`
	Open     *sliceG `parser:"| @@"`
	At       *exprG  `parser:"| @@"`
	Slice    *sliceG `parser:"  @@?"`
}

type sliceG struct {
	Colon bool   `parser:"@':'"`
	Hi    *exprG `parser:"@@?"`
}

type primaryG struct {
	Tokens tokensG
	Atom   *lexer.Token `parser:"  @( Ident | Number | String | Elem | 'true' | 'false' | 'inf' | 'nan' )"`
	Param  *lexer.Token `parser:"| @'param'"`
	Paren  *exprG       `parser:"| '(' @@ ')'"`
	List   *listG       `parser:"| @@"`
	Scan   *scanG       `parser:"| @@"`
}

type listG struct {
	Elems []*exprG `parser:"'[' ( @@ ( (?! ',' ']') ',' @@ )* ','? )? ']'"`
}

type scanG struct {
	Name    *nameG       `parser:"'scan' @@ 'in'"`
	Reverse bool         `parser:"( (?= 'reverse' ( Ident | Number | '(' ) ) @'reverse' )?"`
	Lo      *exprG       `parser:"@@ '..'"`
	Hi      *exprG       `parser:"@@"`
	With    []*carriedG  `parser:"( 'with' @@ ( ',' @@ )* )?"`
	Until   *exprG       `parser:"( 'until' @@ )?"`
	Block   *lexer.Token `parser:"@Block"`
}

type carriedG struct {
	Tokens tokensG
	Name   *nameG `parser:"@@"`
	Init   *exprG `parser:"'=' @@"`
}
