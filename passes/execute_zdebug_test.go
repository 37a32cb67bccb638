package passes

import (
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"testing"

	"gradgen.dev/ir"
)

func try(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			st := strings.Split(string(debug.Stack()), "\n")
			var keep []string
			for _, l := range st {
				if strings.Contains(l, "/passes/") || strings.Contains(l, "/ir/") {
					keep = append(keep, strings.TrimSpace(l))
				}
			}
			err = fmt.Errorf("panic %v %s", r, strings.Join(keep[:min(12, len(keep))], "\n   "))
		}
	}()
	return f()
}

var digits = regexp.MustCompile(`[0-9.e+-]+|out[0-9]*|\[[^\]]*\]|"[^"]*"|n[0-9]+:|'[^']*'`)

func TestZDebug(t *testing.T) {
	k, _ := strconv.Atoi(os.Getenv("SEEDS"))
	n := uint64(k)
	type ex struct {
		count, size int
		text        string
	}
	byKind := map[string]*ex{}
	kinds := planned
	kinds = append(kinds, planned[0], planned[0])
	kinds[len(kinds)-2].name = "woven raw"
	kinds[len(kinds)-1].name = "woven simple"
	for _, kind := range kinds {
		if k := os.Getenv("KIND"); k != "" && !strings.Contains(kind.name, k) {
			continue
		}
		for seed := range n {
			o := kind.options
			if seed%3 == 0 {
				o.Size = 6
			}
			if seed%3 == 1 {
				o.Size = 12
			}
			var p *planning
			err := try(func() error {
				if strings.HasPrefix(kind.name, "woven") {
					p = wovenPlanning(seed, []int{6, 10, 16}[seed%3], kind.name == "woven simple")
				} else {
					p = newPlanning(seed, o, kind.simple)
				}
				for _, f := range []func() error{p.one, p.pairs, p.updates} {
					if err := f(); err != nil {
						return err
					}
				}
				return nil
			})
			if err == nil {
				continue
			}
			key := digits.ReplaceAllString(strings.Split(err.Error(), "\n")[0], "_")
			e := byKind[key]
			if e == nil {
				e = &ex{size: 1 << 30}
				byKind[key] = e
			}
			e.count++
			if p == nil && e.text == "" {
				e.text = fmt.Sprintf("%s seed %d size %d: %v", kind.name, seed, o.Size, err)
			}
			if p != nil {
				if size := len(ir.Topological(p.roots...)); size < e.size {
					e.size = size
					e.text = fmt.Sprintf("%s seed %d size %d: %v\n%s", kind.name, seed, o.Size, err, ir.Print(p.g, p.roots...))
				}
			}
		}
	}
	var keys []string
	for k := range byKind {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return byKind[keys[i]].count > byKind[keys[j]].count })
	for _, k := range keys {
		fmt.Printf("=== %d × %s\n", byKind[k].count, k)
	}
	for i, k := range keys {
		if i < 4 {
			fmt.Printf("\n##### %d × %s\n%s\n", byKind[k].count, k, byKind[k].text)
		}
	}
}
