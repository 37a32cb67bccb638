package dsl

import "fmt"

// misplaced says where a statement stands that may not stand in a body of this
// kind; it is "" where it may.
func misplaced(kind scopeKind, s Stmt) string {
	model := kind == modelScope
	owner := model || kind == layerScope
	switch s := s.(type) {
	case *VarStmt:
		return misplacedVar(kind, s)
	case *SharedStmt:
		if !owner {
			return fmt.Sprintf("shared stands in a model or a layer; %s owns no instances", kind.article())
		}
	case *OutputStmt:
		if !model {
			return "output stands in a model"
		}
	case *LossStmt:
		if !model {
			return "loss stands in a model; a layer can return what the model minimises"
		}
	case *MetricStmt:
		if !model {
			return "metric stands in a model"
		}
	case *TrainStmt:
		if !model {
			return "train stands in a model"
		}
	case *ReturnStmt:
		if model || kind == optimizerScope {
			return "return stands in a fn or a layer"
		}
	case *EmitStmt:
		return "emit stands in the body of a scan"
	}
	return ""
}

// misplacedVar is misplaced for what a body declares.
func misplacedVar(kind scopeKind, s *VarStmt) string {
	owner := kind == modelScope || kind == layerScope
	switch {
	case s.Kind == Input && kind != modelScope:
		return "input stands in a model"
	case s.Kind == Parameter && !owner:
		return fmt.Sprintf("param stands in a model or a layer; %s owns none", kind.article())
	case s.Kind == Carry && !owner:
		return "carry stands in a model or a layer"
	case s.Kind == State && !owner && kind != optimizerScope:
		return "state stands in a model, a layer or an optimizer"
	}
	return ""
}

// String is the word for a body of the kind.
func (k scopeKind) String() string {
	switch k {
	case modelScope:
		return "model"
	case entryScope:
		return "export fn"
	case layerScope:
		return "layer"
	case optimizerScope:
		return "optimizer"
	}
	return "fn"
}

// article is the word for a body of the kind, with its article.
func (k scopeKind) article() string {
	switch word := k.String(); word[0] {
	case 'e', 'o':
		return "an " + word
	default:
		return "a " + word
	}
}
