package ir

import "testing"

// Every form of the notation has its LaTeX.
func TestFormulaTeX(t *testing.T) {
	tex := TeX{Values: map[string]bool{"W": true, "h.y": true}}
	for _, c := range []struct{ text, want string }{
		{"h = x·W + b", `h &= x \cdot W + b`},
		{"dW = scale·xᵀ·(B·dh.y)", `\mathrm{d}W &= \mathit{scale} \cdot x^{\top} \cdot \left(B \cdot \mathrm{d}h.y\right)`},
		{"s = Σⱼ a ⊙ b", `s &= \sum_{j} a \odot b`},
		{"s = Σ x by ids", `s &= \sum_{\mathit{ids}} x`},
		{"p = Π x", `p &= \prod x`},
		{"w ← w − rate·m/(√v + 1e−8)", `w &\leftarrow w - \frac{\mathit{rate} \cdot m}{\sqrt{v} + 10^{-8}}`},
		{"dy[:, 0] += 1/3", `\mathit{dy}[{:},\,0] &\mathrel{+}= \frac{1}{3}`},
		{"y = x[1:, :−1]", `y &= x[{1}{:},\,{:}{-1}]`},
		{"each = logits[y]", `\mathit{each} &= \mathit{logits}_{y}`},
		{"t = h1[0]²", `t &= {h_{1}[0]}^{2}`},
		{"t = where(x > 0, 1, α)", `t &= \begin{cases} 1 & \text{if } x > 0 \\ \alpha & \text{otherwise} \end{cases}`},
		{"n = Σ [(x ≠ 0) ∧ ¬s]", `n &= \sum \left[\left(x \neq 0\right) \wedge \neg s\right]`},
		{"a = argmax logits", `a &= \operatorname*{arg\,max} \mathit{logits}`},
		{"a = max(x, y) + max", `a &= \max\left(x,\, y\right) + \mathit{max}`},
		{"a = |x| + ⌊x⌋ + ⌈x⌉", `a &= \left|x\right| + \left\lfloor x\right\rfloor + \left\lceil x\right\rceil`},
		{"a = σ(x)·x^(y − 1)", `a &= \sigma\left(x\right) \cdot x^{y - 1}`},
		{"t = einsum(\"ij,jk->ik\", a, b)", `t &= \operatorname{einsum}_{ij,jk\to ik}\left(a,\, b\right)`},
		{"h = where(U(dropout) < 0.2, 0, h)", `h &= \begin{cases} 0 & \text{if } \mathcal{U}_{\text{dropout}} < 0.2 \\ h & \text{otherwise} \end{cases}`},
		{"n = x + N(0,1)", `n &= x + \mathcal{N}(0,\,1)`},
		{"layer_norm.beta1 = w_in", `\mathit{layer\_norm}.\beta_{1} &= w_{\mathit{in}}`},
		{"größe = −∞", `\text{\itshape größe} &= -\infty`},
	} {
		got, err := tex.Formula(c.text)
		if err != nil || got != c.want {
			t.Errorf("%s\n\tis   %s, %v\n\twant %s", c.text, got, err, c.want)
		}
	}
}

// What is no formula is an error, not half of one.
func TestFormulaTeXErrors(t *testing.T) {
	for _, text := range []string{"", "a = ", "a = (b", "a = b c", "a = b[", "= a", "a = b +"} {
		if got, err := (TeX{}).Formula(text); err == nil {
			t.Errorf("%q is %s, want an error", text, got)
		}
	}
}
