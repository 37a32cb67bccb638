package objective

//go:generate go run gradgen.dev/cmd/gradgen compile objective.dnn
