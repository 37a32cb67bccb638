package dsl

// Span is a half-open range of bytes [Start, End) in a file. It is embedded in
// every node, so that a node knows its own place in whatever file it was read
// from; the zero Span is no place at all.
type Span struct {
	File       *File
	Start, End int
}

// Where is the span itself; it makes every type that embeds a Span a Node.
func (s Span) Where() Span { return s }

// IsValid reports whether the span lies in a file.
func (s Span) IsValid() bool { return s.File != nil }

// Text is the source text of the span.
func (s Span) Text() string {
	if !s.IsValid() {
		return ""
	}
	return string(s.File.Src[s.Start:s.End])
}

// Node is any part of a program that has a place in its text.
type Node interface {
	Where() Span
}

// File is one parsed .dnn file. Of the declarations that a file has once,
// Package and DType are nil where they are not written; they stand in Decls too.
type File struct {
	Name     string // as diagnostics print it
	Src      []byte // as read: a BOM and carriage returns are still there
	Package  *PackageDecl
	DType    *DTypeDecl
	Decls    []Decl     // every declaration in source order
	Comments []*Comment // every comment in source order

	lines []int // offset of the first byte of each line
}

// Comment is one // or /* */ comment.
type Comment struct {
	Span
	Text string // with its marks, without the line's end
}

// Decl is a declaration at the top level of a file: *PackageDecl, *ImportDecl,
// *DTypeDecl, *ConstDecl, *FnDecl, *LayerDecl, *ModelDecl, *OptimizerDecl or
// *BadDecl.
type Decl interface {
	Node
	declNode()
}

// PackageDecl is `package name`.
type PackageDecl struct {
	Span
	Doc  string
	Name *Name
}

// ImportDecl is `import "path"`.
type ImportDecl struct {
	Span
	Doc  string
	Path *String
}

// DTypeDecl is `dtype float64`: the file's default element type.
type DTypeDecl struct {
	Span
	Doc  string
	Elem *Name
}

// ConstDecl is `const name = value`.
type ConstDecl struct {
	Span
	Doc   string
	Name  *Name
	Value Expr
}

// FnDecl is `fn name(params) result = value` or, in place of the value, a block;
// exactly one of Value and Body is set. A fn with Export may stand in a model
// too, and is then a Stmt.
type FnDecl struct {
	Span
	Doc    string
	Export bool
	Name   *Name
	Params []*Param
	Result *Type // nil where it is not written
	Value  Expr
	Body   *Block
	Grad   *GradClause // the derivative the fn carries, or nil
	Derive []*Derive   // the derived forms to emit
}

// GradClause is `grad(g) = e, …`: the cotangent of each parameter, given the
// cotangent g of the result.
type GradClause struct {
	Span
	Cotangent *Name
	Values    []Expr
}

// Derive is one form after `derive`, such as `value` (no arguments) or
// `jacobian(q)`.
type Derive struct {
	Span
	Form *Name
	Args []*Name
}

// LayerDecl is `layer name(params) result = value`, or with a block in place of
// the value; exactly one of Value and Body is set.
type LayerDecl struct {
	Span
	Doc    string
	Name   *Name
	Params []*Param
	Result *Type
	Value  Expr
	Body   *Block
}

// ModelDecl is `model Name(params) { … }`.
type ModelDecl struct {
	Span
	Doc    string
	Name   *Name
	Params []*Param
	Body   *Block
}

// OptimizerDecl is `optimizer name(params) { … }`. In its body the word `param`
// is a Name with that text.
type OptimizerDecl struct {
	Span
	Doc    string
	Name   *Name
	Params []*Param
	Body   *Block
}

// BadDecl stands for a declaration that has a syntax error, already reported.
// Names are the names it seems to declare.
type BadDecl struct {
	Span
	Names []*Name
}

// Param is one parameter of a declaration: `x [B, K]`, `units int`,
// `act fn = identity`, `lr = 1e-3`.
type Param struct {
	Span
	Name    *Name
	Type    *Type // nil where it is not written
	Default Expr  // nil where there is none
}

// Type is a shape and an element type, either of which may be left out. A bare
// word (`int`, `fn`, `bool`, `string`) is a Type with no Shape.
type Type struct {
	Span
	Shape *Shape
	Elem  *Name
}

// Shape is a list of dimensions in brackets; `[]` is the shape of a scalar.
type Shape struct {
	Span
	Dims []*Dim
}

// Dim is one dimension: an expression, `N...` (Spread) or `...` (Spread, no Expr).
type Dim struct {
	Span
	Expr   Expr
	Spread bool
}

// Block is `{ statements }`.
type Block struct {
	Span
	Stmts []Stmt
}

// Stmt is a statement of a body: *VarStmt, *SharedStmt, *AssignStmt,
// *UpdateStmt, *ForStmt, *IfStmt, *AssertStmt, *ReturnStmt, *EmitStmt,
// *OutputStmt, *LossStmt, *MetricStmt, *TrainStmt, *FnDecl or *BadStmt; and in
// the block of a TrainStmt *ClipStmt, *DecayStmt, *FreezeStmt, *UseStmt,
// *AverageStmt, *AccumulateStmt, *CheckStmt, *ForStmt, *IfStmt or *BadStmt.
type Stmt interface {
	Node
	stmtNode()
}

// VarKind says what a VarStmt declares.
type VarKind string

// The kinds of a VarStmt, spelled as their keywords.
const (
	Input     VarKind = "input"
	Parameter VarKind = "param"
	State     VarKind = "state"
	Carry     VarKind = "carry"
)

// VarStmt declares a tensor that lives outside the graph: `input x [B, 784]`,
// `param W [K, N] = init`, `state m [C] = zeros`, `carry h [B, N] = zeros`.
type VarStmt struct {
	Span
	Doc  string
	Kind VarKind
	Name *Name
	Type *Type // nil where it is not written (never so for an input)
	Init Expr  // nil where there is none (always so for an input)
}

// SharedStmt is `shared name = value`: an instance that is not yet applied.
type SharedStmt struct {
	Span
	Doc   string
	Name  *Name
	Value Expr
}

// AssignStmt is `a, b = value`.
type AssignStmt struct {
	Span
	Doc   string
	Names []*Name
	Value Expr
}

// UpdateStmt is `target <- value`: the new value of a state, or of `param` in an
// optimizer.
type UpdateStmt struct {
	Span
	Target *Name
	Value  Expr
}

// ForStmt is `for i in lo..hi { … }`.
type ForStmt struct {
	Span
	Var    *Name
	Lo, Hi Expr
	Body   *Block
}

// IfStmt is `if cond { … } else { … }`. An `else if` is an Else block that holds
// one IfStmt; Else is nil where there is none.
type IfStmt struct {
	Span
	Cond Expr
	Then *Block
	Else *Block
}

// AssertStmt is `assert cond, "message"`; Message is nil where there is none.
type AssertStmt struct {
	Span
	Cond    Expr
	Message *String
}

// ReturnStmt is `return a, b`.
type ReturnStmt struct {
	Span
	Values []Expr
}

// EmitStmt is `emit a, b along 1` in the body of a scan.
type EmitStmt struct {
	Span
	Values []*Emitted
}

// Emitted is one value of an EmitStmt and the axis along which the steps are
// stacked; Along is nil where it is not written (axis 0).
type Emitted struct {
	Span
	Value Expr
	Along Expr
}

// OutputStmt is `output name = value`, or `output name`, where Value is nil.
type OutputStmt struct {
	Span
	Doc   string
	Name  *Name
	Value Expr
}

// LossStmt is `loss value` (Name is nil) or `loss name = value`.
type LossStmt struct {
	Span
	Doc   string
	Name  *Name
	Value Expr
}

// MetricStmt is `metric value` (Name is nil) or `metric name = value`.
type MetricStmt struct {
	Span
	Doc   string
	Name  *Name
	Value Expr
}

// TrainStmt is `train loss rule(args) for patterns { … }`.
type TrainStmt struct {
	Span
	Doc  string
	Loss *Name      // the named loss it minimises, or nil
	Rule *Call      // Func is the *Name of the optimizer
	For  []*Pattern // the parameters it trains; empty for all
	Body *Block     // nil where there is none
}

// ClipStmt is `clip norm 1.0` or `clip value 0.5` in a train block.
type ClipStmt struct {
	Span
	Form  *Name // "norm" or "value"
	Limit Expr
}

// DecayStmt is `decay 0.1 for patterns`; For is empty for all parameters.
type DecayStmt struct {
	Span
	Value Expr
	For   []*Pattern
}

// FreezeStmt is `freeze patterns`.
type FreezeStmt struct {
	Span
	Patterns []*Pattern
}

// UseStmt is `use rule(args) for patterns`; Rule is nil where the train's own
// rule gets other numbers.
type UseStmt struct {
	Span
	Rule *Name
	Args []*Arg
	For  []*Pattern
}

// AverageStmt is `average ema(0.999)`.
type AverageStmt struct {
	Span
	Rule *Call
}

// AccumulateStmt is `accumulate 4`.
type AccumulateStmt struct {
	Span
	Count Expr
}

// CheckStmt is `check gradients`.
type CheckStmt struct {
	Span
	What *Name // "gradients"
}

// BadStmt stands for a statement that has a syntax error, already reported.
// Names are the names it seems to bind, those of its blocks included; Dims, of an
// input, are those in its brackets.
type BadStmt struct {
	Span
	Names []*Name
	Dims  []*Name
}

// Pattern selects parameters by their paths: `encoder.**`, `block.{0..5}.W`.
type Pattern struct {
	Span
	Segments []*Segment
}

// SegmentKind says what a Segment matches.
type SegmentKind int

// The kinds of a Segment.
const (
	SegmentName  SegmentKind = iota // Text, or the value of a loop variable of that name
	SegmentAny                      // `*`: one segment of a path
	SegmentDeep                     // `**`: any number of segments
	SegmentIndex                    // `{Lo}`
	SegmentRange                    // `{Lo..Hi}`
)

// Segment is one part of a Pattern, between its dots.
type Segment struct {
	Span
	Kind   SegmentKind
	Text   string // of a SegmentName: a name or the digits of a loop index
	Lo, Hi Expr   // of a SegmentIndex and a SegmentRange
}

// Expr is an expression: *Name, *Number, *String, *Bool, *List, *Unary, *Binary,
// *Pipe, *Cond, *Call, *Index, *Field, *Transpose or *Scan. Parentheses leave no
// node; the span of an expression does not count the parentheses around it.
type Expr interface {
	Node
	exprNode()
}

// Name is a name, where it is used and where it is bound. As an expression it may
// be an element type (`float32(x)` is a call of the Name "float32").
type Name struct {
	Span
	Name string
}

// Number is a literal, `inf` or `nan`.
type Number struct {
	Span
	Text  string  // as written
	Value float64 // the nearest float64
	Whole bool    // written without fraction and exponent
	Int   int64   // the value where Whole
}

// String is a literal in double quotes.
type String struct {
	Span
	Value string // unquoted
}

// Bool is `true` or `false`.
type Bool struct {
	Span
	Value bool
}

// List is `[a, b]`: a tensor literal, a shape or a list of axes.
type List struct {
	Span
	Elems []Expr
}

// Unary is `-x` or `!x`.
type Unary struct {
	Span
	Op string
	X  Expr
}

// Binary is `x op y` with an op out of
//
//	|| && == != < <= > >= + - * / % @ ^
type Binary struct {
	Span
	Op     string
	OpSpan Span
	X, Y   Expr
}

// Pipe is `x |> stage`. The stage's Func is a *Name or *Field, and its Args are
// the written ones, without x; the meaning is that call with x before them.
type Pipe struct {
	Span
	OpSpan Span
	X      Expr
	Stage  *Call
}

// Cond is `if cond then a else b`.
type Cond struct {
	Span
	Cond, Then, Else Expr
}

// Call is `f(args) as name`. A stage of a pipe without parentheses is a Call
// with no Args.
type Call struct {
	Span
	Func Expr
	Args []*Arg
	As   *Name // the name given to the instance, or nil
}

// Arg is one argument of a call; Name is nil for a positional one. Positional
// arguments come first.
type Arg struct {
	Span
	Name  *Name
	Value Expr
}

// Index is `x[items]`.
type Index struct {
	Span
	X     Expr
	Items []*IndexItem
}

// IndexKind says what an IndexItem is.
type IndexKind int

// The kinds of an IndexItem.
const (
	IndexAt       IndexKind = iota // At: a number or a tensor of indices
	IndexSlice                     // Lo:Hi, either of which may be nil
	IndexEllipsis                  // `...`
	IndexNew                       // `new`: an axis of extent 1
)

// IndexItem is one entry between the brackets of an Index.
type IndexItem struct {
	Span
	Kind   IndexKind
	At     Expr
	Lo, Hi Expr
}

// Field is `x.name`; after a dot a name may be a loop index (`block.0`).
type Field struct {
	Span
	X    Expr
	Name *Name
}

// Transpose is `x'`: the last two dimensions exchanged.
type Transpose struct {
	Span
	X Expr
}

// Scan is `scan t in lo..hi with h = h0 until done { … }`.
type Scan struct {
	Span
	Var     *Name
	Reverse bool
	Lo, Hi  Expr
	With    []*Carried
	Until   Expr // nil where there is none
	Body    *Block
}

// Carried is a name that a scan rebinds in each step, and its first value.
type Carried struct {
	Span
	Name *Name
	Init Expr
}

func (*PackageDecl) declNode()   {}
func (*ImportDecl) declNode()    {}
func (*DTypeDecl) declNode()     {}
func (*ConstDecl) declNode()     {}
func (*FnDecl) declNode()        {}
func (*LayerDecl) declNode()     {}
func (*ModelDecl) declNode()     {}
func (*OptimizerDecl) declNode() {}
func (*BadDecl) declNode()       {}

func (*VarStmt) stmtNode()        {}
func (*SharedStmt) stmtNode()     {}
func (*AssignStmt) stmtNode()     {}
func (*UpdateStmt) stmtNode()     {}
func (*ForStmt) stmtNode()        {}
func (*IfStmt) stmtNode()         {}
func (*AssertStmt) stmtNode()     {}
func (*ReturnStmt) stmtNode()     {}
func (*EmitStmt) stmtNode()       {}
func (*OutputStmt) stmtNode()     {}
func (*LossStmt) stmtNode()       {}
func (*MetricStmt) stmtNode()     {}
func (*TrainStmt) stmtNode()      {}
func (*FnDecl) stmtNode()         {}
func (*ClipStmt) stmtNode()       {}
func (*DecayStmt) stmtNode()      {}
func (*FreezeStmt) stmtNode()     {}
func (*UseStmt) stmtNode()        {}
func (*AverageStmt) stmtNode()    {}
func (*AccumulateStmt) stmtNode() {}
func (*CheckStmt) stmtNode()      {}
func (*BadStmt) stmtNode()        {}

func (*Name) exprNode()      {}
func (*Number) exprNode()    {}
func (*String) exprNode()    {}
func (*Bool) exprNode()      {}
func (*List) exprNode()      {}
func (*Unary) exprNode()     {}
func (*Binary) exprNode()    {}
func (*Pipe) exprNode()      {}
func (*Cond) exprNode()      {}
func (*Call) exprNode()      {}
func (*Index) exprNode()     {}
func (*Field) exprNode()     {}
func (*Transpose) exprNode() {}
func (*Scan) exprNode()      {}
