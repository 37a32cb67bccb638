package pinn

//go:generate go run gradgen.dev/cmd/gradgen compile pinn.dnn
