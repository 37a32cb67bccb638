package ir

import "slices"

// A Plan is a program as it will be printed: procedures of steps over buffers.
// Nothing but spelling is left to decide.
type Plan struct {
	Program *Program
	Models  []*ModelPlan
	Funcs   []*FuncPlan
}

// A ModelPlan is the procedures of a model and the memory they share.
//
// Init sets every parameter. Each loss has its TrainPlan. Evaluate computes
// losses and metrics of inference; where it is nil the model has one loss and
// is the same in training, and Forward of its plan serves. A predictor runs
// Predict and the exports. Compose is of a model without loss.
type ModelPlan struct {
	Model  *Model
	Bounds []Bound

	Init     *Procedure   // sites of random draws start with the parameter's path
	Reset    *Procedure   // sets every carry, and needs no arena: of trainer and predictor; nil where there are none
	Trains   []*TrainPlan // of each loss, in the order of Side.Losses
	Compose  *ComposePlan // nil in a model with a loss, or without outputs or anything to differentiate
	Evaluate *Procedure   // inference
	Predict  *Procedure   // inference, outputs alone
	Moves    []*State     // carries of which Predict leaves new values
	Exports  []*ExportPlan

	States   []*State // the optimisers' states, then the model's own, that some procedure uses
	Averages []*Average
	Carries  []*State // that some procedure uses
	Trainer  Arena    // of what the trainer runs
	Reader   Arena    // of Predict and the exports

	Parts   []Part        // of a batch; what Evaluate returns those of
	Reports []ReportField // losses first, then metrics

	Closings []Closing  // what reports compute of parts that are tensors
	Close    *Procedure // its results are those of Closings; parts are InInput buffers whose keys are PartKey and the name; nil where there are none
	Closer   Arena      // of Close, and of those of the losses

	Draws bool // training draws random numbers
	Empty Dim  // a batch is empty where this is 0: the product of its dimensions
}

// A TrainPlan is how one loss is minimised.
//
// Its Step is Forward, then Backward where it is not nil (the update is folded
// into it), else Gradient and Update. Grad is Forward, then Gradient. With a
// clip of the norm Update reads the leaf clip_factor, which the caller computes
// from the gradient.
type TrainPlan struct {
	Loss  string // name of the loss, "" of the unnamed one
	Train *Train // nil where nothing trains the loss
	Side  *Side  // the model's training as this step has it, see [Side.Step]

	Forward  *Procedure // training; leaves what the backward reads in the trainer's arena
	Backward *Procedure // gradient and update in one; nil where they are not folded
	Gradient *Procedure // sets the gradient buffers of the parameters that Train updates, of all parameters where it is nil
	Update   *Procedure // reads the gradient buffers; sets parameters, optimiser states and averages; nil where Train is

	Inputs   []Named    // those of the model that Forward, Gradient or Backward read
	Parts    []int      // of ModelPlan.Parts, that Forward computes: its results are those that are no extents
	Reports  []int      // of ModelPlan.Reports, that these parts determine; the first is the loss
	Closings []int      // of ModelPlan.Closings, that these reports read
	Close    *Procedure // its results are those of Closings; nil where there are none, or ModelPlan.Close serves
	Written  []*State   // of the model's states and carries: Forward leaves new values, in the buffers whose keys end in NextKey
	Empty    Dim        // a batch is empty where this is 0: the product of the dimensions of Inputs

	// Exact is the training loss as Side states it, before any rewriting:
	// what the emitted test differentiates numerically. Its leaves are the
	// model's.
	Exact *Node
}

// An Average is the moving mean of a parameter, kept as a state under its key.
type Average struct {
	Param *Param
	State *State
}

// A ComposePlan is a model as a part of a computation that a program composes
// by hand. Forward computes the outputs as in training, in InOutput buffers by
// their names. Backward reads their cotangents, InInput buffers whose keys are
// "d " and the output's name, and sets the gradient buffers of the parameters
// and, in InOutput buffers whose keys are "d " and the input's name, those of
// Inputs.
type ComposePlan struct {
	Forward  *Procedure
	Backward *Procedure
	Inputs   []Named    // the floating ones that some output depends on
	Update   *Procedure // as in TrainPlan
	Train    *Train     // nil where the model has no train
	Written  []*State
}

// An ExportPlan is a further entry of the predictor: inputs are InInput buffers
// by the names of Export.Inputs, results InOutput buffers by their names.
type ExportPlan struct {
	Export *Export
	Proc   *Procedure
	Moves  []*State // carries of which it leaves new values
	Bounds []Bound  // of its inputs
}

// NextKey ends the key of a new value of a state or carry, which a step commits
// once its loss is known to be finite.
const NextKey = ".next"

// A Bound says that every element of an input is from 0 to Extent − 1, or
// equals Ignore where HasIgnore is set.
type Bound struct {
	Input     *Node
	Extent    Dim
	Ignore    int64
	HasIgnore bool
}

// A Part is a number of one batch that adds up over a data set, or a tensor of
// them.
type Part struct {
	Name string
	Kind string // how parts of batches combine: sum, max, min, any, all; last: the newest
	Node *Node  // a scalar is a result of Forward and Evaluate; a tensor, of constant extents and in float64, is an InOutput buffer whose key is PartKey and the name
	Size *Dim   // the part is this extent where it is not nil, and is no result
}

// PartKey begins the key of a part that is a tensor.
const PartKey = "part "

// A Closing is a number that reports compute of parts that are tensors. Its
// value refers to parts as arg leaves called by their names, in float64.
type Closing struct {
	Name  string // no part is called so
	Value *Node
}

// A ReportField is the loss or a metric: a formula over parts and closings,
// which it refers to as arg leaves called by their names, float64 scalars.
type ReportField struct {
	Name  string
	Doc   string
	Value *Node
}

// A FuncPlan is an exported function with its derivatives.
type FuncPlan struct {
	Func    *Func
	Entries []*FuncEntry
}

// A FuncEntry is one Go function: the value, a derivative, or several of them
// that share their work. The buffers of its procedure are inputs, outputs and
// scratch in Arena. A scalar value is returned, every other result is written
// to an output buffer.
type FuncEntry struct {
	Suffix  string // of the Go name: "", Grad, ValueGrad, Jacobian, …
	Kinds   []string
	Params  []int   // the parameters derived by
	Extra   []Named // vectors besides the parameters: w of a vjp, v of a jvp
	Outputs []*Buffer
	Returns *Buffer // the scalar that is returned, nil where none is
	Proc    *Procedure
	Arena   Arena
}

// Storage says where a buffer lies.
type Storage uint8

const (
	InArena  Storage = iota // scratch or saved for the backward: a part of the arena
	InParam                 // a parameter
	InGrad                  // a parameter's gradient, the caller's or the trainer's own
	InState                 // kept between steps
	InCarry                 // kept from call to call
	InInput                 // the caller's, read
	InOutput                // the caller's, written
	InTable                 // literals of the program
	InLocal                 // a scalar: a local variable of its procedure
)

// A Buffer is memory for one value, or for several one after another that are
// computed in place.
type Buffer struct {
	Name    string // unique in its model or function, a Go identifier
	Type    Type
	Storage Storage
	Key     string   // path of a parameter, gradient or state; name of an input or output
	Run     Run      // where Key has a * for the parameter's path: what it stands for; nil in a Routine, which has many
	Values  []string // the values it holds in turn, by name
	Offset  Dim      // of InArena: the first element in the arena of its element type
	Slot    int      // of InArena: buffers of one slot share memory at different times
	Data    []float64
	Wide    bool // of InLocal: added up in float64
}

// An Arena is the scratch memory of one owner, one slice per element type.
type Arena struct {
	Buffers []*Buffer // by offset
	Length  map[DType]Dim
}

// A Procedure is a sequence of steps that is printed as one function.
type Procedure struct {
	Name    string // forward, backward, gradient, update, evaluate, predict, init
	Steps   []*Step
	Results []*Buffer // scalars: the parts, in order
}

// A Run is parameters that lie one after another and are updated by one rule,
// as one slice.
type Run []*Param

// Size is the number of elements.
func (r Run) Size() Dim {
	var size Dim
	for _, p := range r {
		size = size.Add(p.Node.Type.Shape.Size())
	}
	return size
}

// Has reports whether a parameter is in the run.
func (r Run) Has(path string) bool {
	return slices.ContainsFunc(r, func(p *Param) bool { return p.Path == path })
}

// A Routine is what an update does to each of several runs of parameters, in one
// function: steps over Args, the slices of a run, whose keys have a * for the
// parameter's path. They need no scratch memory.
type Routine struct {
	Name  string    // after the optimiser, such as adamw; unique in its procedure
	Text  string    // the optimiser as written, with its decay
	Size  string    // the dimension that is the number of elements of a run
	Args  []*Buffer // the parameters, their gradient, their states
	Takes []*Buffer // the procedure's scalars that the steps read
	Steps []*Step
	Runs  []Run
}

// Has reports whether the routine updates a parameter.
func (r *Routine) Has(path string) bool {
	return slices.ContainsFunc(r.Runs, func(run Run) bool { return run.Has(path) })
}

// A Step is a product, a loop nest, a scalar, or a call of a routine. Exactly one
// of the four is not nil.
type Step struct {
	Formulas []string           // as comments, in mathematical spelling, one a value
	Shapes   map[string]Shape   // of the values that Formulas set whole, by formula
	Places   map[string]*Buffer // where those of them that are in memory lie, by formula
	Section  string             // forward, backward, update: the heading it belongs to

	Product *ProductStep
	Loop    *LoopStep
	Scalar  *ScalarStep
	Call    *CallStep
}

// A CallStep applies a routine to one of its runs.
type CallStep struct {
	Routine *Routine
	Run     Run
}

// Routines is the routines that p calls, in the order of their first calls.
func (p *Procedure) Routines() []*Routine {
	var out []*Routine
	if p == nil {
		return nil
	}
	for _, s := range p.Steps {
		if s.Call != nil && !slices.Contains(out, s.Call.Routine) {
			out = append(out, s.Call.Routine)
		}
	}
	return out
}

// State adds a formula that sets the whole of a value of the given shape, in
// the buffer at, nil where it is not in memory.
func (s *Step) State(formula string, shape Shape, at *Buffer) {
	if s.Shapes == nil {
		s.Shapes, s.Places = map[string]Shape{}, map[string]*Buffer{}
	}
	s.Formulas = append(s.Formulas, formula)
	s.Shapes[formula] = shape
	if at != nil {
		s.Places[formula] = at
	}
}

// A ScalarStep sets a scalar to an expression over scalars: numbers, leaves,
// and what Loads lists.
type ScalarStep struct {
	To    *Buffer
	Value *Node
	Loads map[*Node]Access // what the expression reads from memory and locals
}

// A ProductStep is C ← Alpha·A·B + Beta·C for each index of Batch.
type ProductStep struct {
	Batch       Shape
	A, B, C     Matrix
	Alpha, Beta *Node // scalars: constants, or values in Loads
	Loads       map[*Node]*Buffer
}

// A Matrix is a view of a buffer. Element i, j of the matrix at batch index k
// is at Offset + Σ k·BatchStride + i·RowStride + j·ColStride; one of the two
// strides is the constant 1 where the extent beside it is more than one.
type Matrix struct {
	Buffer               *Buffer
	Offset               Dim
	Rows, Cols           Dim
	RowStride, ColStride Dim
	BatchStride          []Dim
}

// A LoopStep is a nest of loops over Outer and, inside it, passes over Inner.
// Nodes of shape Outer ++ Inner are computed element by element, nodes of
// shape Outer once a row; a reduction over exactly the axes of Inner ends the
// pass that feeds it. The nodes of Row and of each pass are in the order in
// which they must be computed.
type LoopStep struct {
	Outer, Inner Shape
	Passes       []Pass
	Loads        map[*Node]Access // what the loop does not compute
	Stores       []Store
	Folds        []Fold
	Copied       map[*Node]bool   // of what passes compute, the values that are read as Loads says
	Names        map[*Node]string // what locals are called, as Go identifiers
}

// A Pass is the row's scalars that need the passes before, then one loop over
// Inner (none where Elements, Rows' folds and reductions are all empty).
type Pass struct {
	Scalars  []*Node // of shape Outer
	Elements []*Node // of shape Outer ++ Inner
	Reduces  []*Node // reductions over Inner, of shape Outer, known after this pass
}

// An Access says where a value of a loop lies: at Offset + Σ index·stride, and
// for each of Index, plus the integer found there times a stride. An element's
// strides are along Outer ++ Inner, a row's along Outer.
type Access struct {
	Buffer  *Buffer
	Offset  Dim
	Strides []Dim
	Index   []Indirect
}

// An Indirect is an index that is read from memory: a gathered or scattered
// axis.
type Indirect struct {
	At     Access
	Stride Dim
	Within *Dim // of a store that adds, where not nil: an index that is not from 0 to Within − 1 adds nothing
}

// A Store writes a value of the loop to a buffer.
type Store struct {
	Node *Node
	To   Access
	Pass int
	Row  bool // a scalar of the row
	Add  bool // adds to what is there
}

// A Fold is a reduction over axes of Outer (and maybe Inner): it accumulates
// into a buffer that is set to its start before the loop, unless Keep.
type Fold struct {
	Op    string // sum prod reduce_max reduce_min any all
	Node  *Node  // what is folded
	To    Access // strides 0 along the folded axes
	Pass  int
	Row   bool
	Keep  bool  // accumulates into what is there: folded updates
	Scale *Node // factor of each term, a scalar; nil is 1
}

// Procedures is all procedures of the model, in the order in which emitted
// code has them.
func (p *ModelPlan) Procedures() []*Procedure {
	list := []*Procedure{p.Init}
	for _, t := range p.Trains {
		list = append(list, t.Forward, t.Backward, t.Gradient, t.Update)
	}
	if c := p.Compose; c != nil {
		list = append(list, c.Forward, c.Backward, c.Update)
	}
	list = append(list, p.Evaluate, p.Predict)
	for _, e := range p.Exports {
		list = append(list, e.Proc)
	}
	return slices.DeleteFunc(list, func(p *Procedure) bool { return p == nil })
}
