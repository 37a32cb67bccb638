package digit

//go:generate go run gradgen.dev/cmd/gradgen compile digit.dnn
