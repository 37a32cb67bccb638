package look

//go:generate go run gradgen.dev/cmd/gradgen compile look.dnn
