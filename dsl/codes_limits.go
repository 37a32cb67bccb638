package dsl

import "strings"

// limitCodes are the limits that keep every compilation finite.
var limitCodes = []Code{{
	Number:  "E0801",
	Name:    "text-limit",
	Title:   "a text that is too large or nests too deeply",
	Text:    "A file has at most 16 MiB, brackets and blocks nest 200 deep, a chain has 1000 operators and a list 100 000 elements; after 1000 syntax errors the rest is not shown.",
	Remedy:  "Give parts of the expression names. A text that a program has written should use loops and functions.",
	Example: "const n =\n" + strings.Repeat(strings.Repeat("(", 51)+"\n", 4) + "1" + strings.Repeat("\n"+strings.Repeat(")", 51), 4),
	Fixed:   "const n =\n" + strings.Repeat("(", 51) + "\n1\n" + strings.Repeat(")", 51),
}, {
	Number:  "E0802",
	Name:    "work-limit",
	Title:   "a program that unrolls to too much",
	Text:    "Loops and calls become part of the program once for each time that they run, up to 100 000 iterations, 200 000 calls and 2 000 000 expressions in all. Derivatives multiply what is there: compiling a model or a function makes 6 000 000 operations at most.",
	Remedy:  "Compute with tensors in place of loops over elements, unroll less, or derive less often.",
	Example: "export fn f(x [N]) {\n    y = x\n    for i in 0..1_000_000 { y = y + 1 }\n    return y\n}",
	Fixed:   "export fn f(x [N]) {\n    y = x\n    for i in 0..10 { y = y + 1 }\n    return y\n}",
}, {
	Number:  "E0803",
	Name:    "recursion",
	Title:   "calls that nest without an end",
	Text:    "Calls are inlined and nest 200 deep at most. A function may call itself where a condition known at compile time ends it.",
	Remedy:  "Add the condition, or use a loop.",
	Example: "fn power(x, n int) = x * power(x, n - 1)\nexport fn f(x [N]) = power(x, 3)",
	Fixed:   "fn power(x, n int) = if n == 0 then 1 else x * power(x, n - 1)\nexport fn f(x [N]) = power(x, 3)",
}, {
	Number:  "E0804",
	Name:    "tensor-limit",
	Title:   "a tensor of too many dimensions or elements",
	Text:    "A tensor has rank 16 and, of constant extents, 2^31 elements at most; an extent is a polynomial in dimension variables of a limited number of terms.",
	Remedy:  "Reduce before tensors grow: an outer product that is summed at once is a product @ or an einsum.",
	Example: "export fn f(x [N]) = x + sum(ones([100_000, 100_000]))",
	Fixed:   "export fn f(x [N]) = x + sum(ones([1_000, 1_000]))",
}, {
	Number:  "E0805",
	Name:    "number-range",
	Title:   "a number out of range",
	Text:    "Numbers are of 64 bits: integers below 2^63, others below about 1.8e308.",
	Remedy:  "Write inf for infinity, or scale the formula.",
	Example: "const huge = 1e999",
	Fixed:   "const huge = 1e300",
}}

// outputCodes are the errors of what is emitted: limits of the compiler, Go names
// and files.
var outputCodes = []Code{{
	Number:  "E0901",
	Name:    "not-compiled",
	Title:   "a part of the language that is not compiled yet",
	Text:    "The program may be correct, but this version of gradgen cannot compile it. The language reference lists what is missing.",
	Remedy:  "Express it otherwise where that is possible.",
	Example: "export fn f(x [N]) = cumsum(x, axis: 0)",
	Fixed:   "export fn f(x [N]) = tril(ones([N, N])) @ x",
}, {
	Number:  "E0902",
	Name:    "go-name",
	Title:   "two names that meet in Go",
	Text:    "Emitted fields and types have the program's names in Go's spelling: x_y and xY are both XY. A name may also meet one of the emitted API.",
	Remedy:  "Rename one of the two; as names an instance.",
	Example: "model M {\n    input x_y [B]\n    input xY [B]\n    output z = x_y + xY\n}",
	Fixed:   "model M {\n    input x_y [B]\n    input x_z [B]\n    output z = x_y + x_z\n}",
}, {
	Number:  "E0903",
	Name:    "file",
	Title:   "a file or folder that is no program, or cannot be read",
	Text:    "Arguments are files whose names end in .dnn, folders with such files, and trees of folders, folder/... .",
	Remedy:  "Correct the path. It is relative to the working directory, which under go generate is that of the Go file.",
	Example: "gradgen check model.txt",
	Fixed:   "gradgen check model.dnn",
	Command: true,
}, {
	Number:  "E0904",
	Name:    "file-kept",
	Title:   "a file that gradgen has not emitted is in the way",
	Text:    "An emitted file starts with a comment that says what it was emitted from. gradgen overwrites and removes no other.",
	Remedy:  "Rename or remove the file, or emit to another folder with -o.",
	Example: "touch model_dnn.go && gradgen compile model.dnn",
	Fixed:   "gradgen compile -o model model.dnn",
	Command: true,
}, {
	Number:  "E0905",
	Name:    "file-clash",
	Title:   "two programs that emit the same file",
	Text:    "With -o, all programs emit to one folder; two of the same name would overwrite each other there.",
	Remedy:  "Rename one program, or compile them to folders of their own.",
	Example: "gradgen compile -o out a/model.dnn b/model.dnn",
	Fixed:   "gradgen compile a/model.dnn b/model.dnn",
	Command: true,
}, {
	Number:  "E0906",
	Name:    "package-name",
	Title:   "the files of a folder would not be of one Go package",
	Text:    "The name of the package is that of -pkg, else of the program's package line, else of the folder's Go files, else $GOPACKAGE, else the folder's. All programs that emit to a folder agree on it, and it is a Go identifier.",
	Remedy:  "Give the name with -pkg, or correct the package lines.",
	Example: "gradgen compile -pkg go-model model.dnn",
	Fixed:   "gradgen compile -pkg gomodel model.dnn",
	Command: true,
}}
