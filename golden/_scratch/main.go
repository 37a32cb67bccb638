package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"gradgen.dev/dsl"
	"gradgen.dev/ir"
	"gradgen.dev/passes"
)

// usage: scratch file [name...]: compile each model and fn by itself
func main() {
	src, _ := os.ReadFile(os.Args[1])
	load := func() *ir.Program {
		f, d := dsl.Parse(os.Args[1], src)
		p, d2 := dsl.Elaborate(f, dsl.Options{})
		if all := append(d, d2...); len(all) > 0 {
			dsl.Render(os.Stdout, all)
			os.Exit(1)
		}
		return p
	}
	full := load()
	try := func(name string, cut func(p *ir.Program)) {
		p := load()
		cut(p)
		defer func() {
			if x := recover(); x != nil {
				st := strings.Split(string(debug.Stack()), "\n")
				fmt.Println(name, "PANIC", x)
				for _, l := range st[6:min(len(st), 22)] {
					if strings.Contains(l, ".go:") {
						fmt.Println("   ", l)
					}
				}
			}
		}()
		plan, err := passes.Compile(p)
		if err != nil {
			fmt.Println(name, "ERR", err)
			return
		}
		if err := passes.CheckPlacement(plan); err != nil {
			fmt.Println(name, "PLACE", err)
		}
	}
	for i, m := range full.Models {
		try(m.Name, func(p *ir.Program) { p.Models, p.Funcs = p.Models[i:i+1], nil })
	}
	for i, f := range full.Funcs {
		for k, d := range f.Derive {
			try(fmt.Sprint(f.Name, ".", d.Kind, d.Params), func(p *ir.Program) {
				p.Models = nil
				p.Funcs = p.Funcs[i : i+1]
				p.Funcs[0].Derive = p.Funcs[0].Derive[k : k+1]
			})
		}
	}
}
