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
	Hyper   []Hyper
	Train   *Side  // training is true
	Infer   *Side  // training is false
	Rule    string // the optimiser as written, such as sgd(lr: 0.5); "" without train
	Updates []*Update
}

// A Side is a specialisation of a model: what it computes in training or in
// inference.
type Side struct {
	Outputs []Named
	Loss    *Node // scalar; nil where the model has none
	Metrics []Named
	Writes  []Write // of states, in training only
}

// Roots is all that s computes: outputs, loss, metrics and what states become.
// It is empty where s is nil.
func (s *Side) Roots() []*Node {
	if s == nil {
		return nil
	}
	var roots []*Node
	for _, out := range s.Outputs {
		roots = append(roots, out.Node)
	}
	if s.Loss != nil {
		roots = append(roots, s.Loss)
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

// A State is a tensor kept between steps.
type State struct {
	Path string
	Doc  string
	Node *Node
	Init *Node
}

// A Write sets a state at the end of a step.
type Write struct {
	State *State
	Value *Node
}

// A Hyper is a number that may be changed between steps. Its leaf is a
// float64 scalar.
type Hyper struct {
	Name    string
	Default float64
	Doc     string // where it is given: sgd(lr: 0.5)
	Node    *Node
}

// An Update is the optimiser's rule for one parameter. Grad stands for the
// gradient: an input leaf called "grad " and the path.
type Update struct {
	Param  *Param
	Grad   *Node
	Next   *Node // the new parameter
	States []Write
}
