package dsl
import ("os";"testing")
func TestTry(t *testing.T) {
	name := os.Getenv("TRY")
	src, err := os.ReadFile(name)
	if err != nil { t.Skip() }
	f, diags := Parse(name, src)
	_, more := Elaborate(f, Options{})
	Render(os.Stdout, append(diags, more...))
}
