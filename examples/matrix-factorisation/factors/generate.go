package factors

//go:generate go run gradgen.dev/cmd/gradgen compile factors.dnn
