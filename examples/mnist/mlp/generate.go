package mlp

//go:generate go run gradgen.dev/cmd/gradgen compile mlp.dnn
