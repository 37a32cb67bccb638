package ring

//go:generate go run gradgen.dev/cmd/gradgen compile ring.dnn
