package softmax

//go:generate go run gradgen.dev/cmd/gradgen compile softmax.dnn
