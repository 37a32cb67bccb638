package language

//go:generate go run gradgen.dev/cmd/gradgen compile language.dnn
