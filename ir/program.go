package ir

// A Program is what a file means: models and exported functions, all in one
// graph. It is what elaboration hands to the passes.
type Program struct {
	Package string // of the package line, "" where there is none
	Source  string // base name of the file
	Doc     string // of the package line
	Graph   *Graph
	Models  []*Model
	Funcs   []*Func
}

// A Named is a value under a name, with its documentation.
type Named struct {
	Name string
	Doc  string
	Pos  string // file:line:column
	Node *Node
}

// A RunDim is a run-time dimension of a model or function.
type RunDim struct {
	Name string
	Doc  string
}

// A Func is an exported function with the derivatives asked for.
type Func struct {
	Name    string
	Doc     string
	Pos     string
	Elem    DType
	Dims    []RunDim
	Facts   Facts   // must hold of the dimensions of every call
	Params  []Named // each node is a pin of an input
	Results []*Node // one, or several in the order of return
	Derive  []Derivation
}

// A Derivation is an entry of a derive clause, such as grad(x).
type Derivation struct {
	Kind   string // value grad jacobian hessian vjp jvp hvp
	Params []int  // positions of the parameters it is taken by
	Pos    string
}

// A Model is one model with its two specialisations.
type Model struct {
	Name    string
	Doc     string
	Pos     string
	Elem    DType
	Dims    []RunDim
	Facts   Facts // must hold of the dimensions of every call
	Inputs  []Named
	Params  []*Param
	States  []*State // of the model's own `state`, not the optimiser's
	Carries []*State // `carry`: every trainer and predictor has its own; may have run-time dimensions
	Hyper   []Hyper
	Train   *Side     // training is true
	Infer   *Side     // training is false
	Trains  []*Train  // one of the unnamed loss, or one of each named loss; none of a model that is not trained
	Exports []*Export // further entries, in the order of the text
}

// A Side is a specialisation of a model: what it computes in training or in
// inference.
type Side struct {
	Outputs []Named
	Losses  []Named // scalars: a single one without a name, the sum of what the model writes, or named ones
	Metrics []Named
	Writes  []Write // of states, in training only; of carries; in the order in which they run
}

// Loss is the loss of that name, "" of the unnamed one; nil where there is
// none.
func (s *Side) Loss(name string) *Node {
	if s == nil {
		return nil
	}
	for _, l := range s.Losses {
		if l.Name == name {
			return l.Node
		}
	}
	return nil
}

// Roots is all that s computes: outputs, losses, metrics and what states and
// carries become. It is empty where s is nil.
func (s *Side) Roots() []*Node {
	if s == nil {
		return nil
	}
	var roots []*Node
	for _, out := range s.Outputs {
		roots = append(roots, out.Node)
	}
	for _, l := range s.Losses {
		roots = append(roots, l.Node)
	}
	for _, m := range s.Metrics {
		roots = append(roots, m.Node)
	}
	for _, w := range s.Writes {
		roots = append(roots, w.Value)
	}
	return roots
}

// A Param is a trained tensor. Its path is its key in files.
type Param struct {
	Path string
	Doc  string
	Pos  string
	Node *Node
	Init *Node  // its first value; random draws have sites that start with the path
	Rule string // the initialiser as written
}

// A State is a tensor kept between steps, or from call to call where its leaf
// is a carry.
type State struct {
	Path string
	Doc  string
	Node *Node
	Init *Node
}

// A Write is one run of `<-`: it sets a state or a carry at the end of a step.
//
// On a model's training side there is one of each application of an instance,
// so a state may have several. Value reads the state as the write before left
// it, by that one's Read. What an entry computes is told by [Side.Step]: it runs
// some applications and not others, the writes of which it then neither makes
// nor reads, and of those that it makes of one state it commits the last. In
// inference and in an update every write runs; a state has one, without marks.
type Write struct {
	State *State
	Value *Node

	// Read is the mark by which what follows reads the value: a pin of Value
	// that nothing else is.
	Read *Node

	// Of is what the application whose text has the write returns, each a pin
	// of its own; nothing where the write stands in the model itself, or where
	// no tensor is returned: such a write runs in every step.
	Of []*Node
}

// A Hyper is a number that may be changed between steps. Its leaf is a
// float64 scalar.
type Hyper struct {
	Name    string
	Default float64
	Doc     string // where it is given: sgd(lr: 0.5)
	Node    *Node
}

// A Train is how a loss is minimised: a train statement with its rules written
// out, parameter by parameter. An update is the mean over the micro-batches,
// the clip over all of the train's parameters, then each parameter's rule
// (which has the decay in it), then the average.
type Train struct {
	Loss       string // name of the loss, "" of the unnamed one
	Rule       string // the default optimiser as written, such as sgd(lr: 0.5)
	Pos        string
	Updates    []*Update // of the parameters that it trains, in the order of Model.Params; a frozen one has none
	Clip       *Clip     // nil without
	Check      bool      // gradients are checked to be finite and their norm is reported, as with a clip
	Accumulate int       // micro-batches of an update, at least 1
}

// Updates is the updates of all trains of a model, in the order of the text.
func (m *Model) Updates() []*Update {
	var out []*Update
	for _, t := range m.Trains {
		out = append(out, t.Updates...)
	}
	return out
}

// A Clip bounds a gradient before it is used.
type Clip struct {
	Kind  string // norm: over all of the train's parameters; value: element by element
	Limit *Node  // float64 scalar of numbers
}

// An Update is the optimiser's rule for one parameter. Grad stands for the
// gradient, the mean over micro-batches after the clip: an input leaf called
// "grad " and the path.
type Update struct {
	Param   *Param
	Grad    *Node
	Next    *Node // the new parameter
	States  []Write
	Average *Write // the moving mean that inference reads and Save writes, nil without; it starts as the parameter
	Rule    string // the optimiser as written
	Decay   string // the weight decay as written, "" without
}

// An Export is a further entry of a model, of its inference form: an `export
// fn` in it. Its inputs are leaves called by the entry's name, a dot and their
// own.
type Export struct {
	Name    string
	Doc     string
	Pos     string
	Dims    []RunDim // that its inputs have
	Facts   Facts    // must hold of the dimensions of every call
	Inputs  []Named
	Results []Named // one, or several in the order of return; names are unique
	Writes  []Write // of carries
}
