package ae

//go:generate go run gradgen.dev/cmd/gradgen compile ae.dnn
