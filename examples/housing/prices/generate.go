package prices

//go:generate go run gradgen.dev/cmd/gradgen compile prices.dnn
