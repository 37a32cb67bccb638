package dsl

// insteadOfField is what is written for x.name where x is a value.
func (e *elaborator) insteadOfField(sc *scope, x *Field) string {
	of := excerptOf(x.X, "x")
	switch x.Name.Name {
	case "T", "t", "mT":
		return "; the transpose is " + of + "'"
	case "shape", "size", "dim":
		return "; extent(" + of + ", k) is the extent of an axis"
	}
	if e.lookupFunction(sc, x.Name.Name) != nil {
		return "; the function is " + x.Name.Name + "(" + of + ", …)"
	}
	if hint := borrowedFunctions[x.Name.Name]; hint != "" {
		return "; " + hint
	}
	return ""
}

// borrowedFunctions are functions of other languages and what is written here.
var borrowedFunctions = map[string]string{
	"arange": "0, 1, … is iota(n)", "range": "0, 1, … is iota(n)",
	"cat": "it is called concat", "concatenate": "it is called concat", "hstack": "it is called concat",
	"view": "it is called reshape", "unsqueeze": "a new axis is x[:, new]", "expand_dims": "a new axis is x[:, new]",
	"broadcast_to": "it is called expand", "repeat": "it is called tile", "swapaxes": "it is called transpose",
	"len": "extent(x, 0) is the length of an axis", "shape": "extent(x, k) is the extent of an axis", "size": "extent(x, k) is the extent of an axis",
	"matmul": "a product is a @ b", "dot": "a product is a @ b", "mm": "a product is a @ b", "bmm": "a product is a @ b",
	"ln": "it is called log", "power": "it is called pow, or ^", "square": "a square is x^2", "fabs": "it is called abs",
	"astype": "float32(x) and int32(x) convert", "cast": "float32(x) and int32(x) convert", "to": "float32(x) and int32(x) convert",
	"rand": "it is called uniform", "randn": "it is called normal", "random": "draws are uniform and normal",
	"swish": "it is called silu", "logistic": "it is called sigmoid", "linear_layer": "it is called dense", "fc": "it is called dense",
	"xavier_uniform": "it is called glorot_uniform", "xavier_normal": "it is called glorot_normal",
	"kaiming_uniform": "it is called he_uniform", "kaiming_normal": "it is called he_normal",
	"bce": "it is called binary_cross_entropy", "kl_div": "it is called kl_divergence", "detach": "it is called stop_gradient",
	"layernorm": "it is called layer_norm", "clamp": "it is called clip", "amax": "it is called max", "amin": "it is called min",
}
