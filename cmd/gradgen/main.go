// Command gradgen turns models and functions in .dnn files into Go packages.
//
//	gradgen compile model.dnn ./...   writes model_dnn.go and what belongs to it
//	gradgen check ./...               reports errors and writes nothing
//	gradgen fmt -w ./...              gives files their canonical layout
//	gradgen params model.dnn          lists the trained tensors
//	gradgen summary model.dnn         shows shapes, flops and memory
//	gradgen explain model.dnn         shows the mathematics and the Go that computes it
//	gradgen explain E0301             says what a code of an error means
//	gradgen graph model.dnn           draws models and functions
//	gradgen init mlp [folder]         starts a program
//	gradgen completion bash           prints a script that completes command lines
//	gradgen version
//
// Errors in programs go to standard error as text, or with -json to standard
// output as one JSON object a line; what params, summary and explain find out is
// JSON then too. Flags take one dash or two. The exit code is 0 for success; 1
// where there are errors in programs, where -check finds a stale package, and where a diff is
// not empty; 2 for wrong usage, files that cannot be read or written, and
// defects of gradgen itself.
//
// This package only wires the compiler's stages together: dsl reads, passes
// compile, codegen spells.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK    = 0
	exitFound = 1 // errors in programs, stale output, a difference
	exitUsage = 2 // wrong usage, input or output, a broken invariant
)

// errFound is returned by a command that has already printed what it found.
var errFound = errors.New("found")

// streams is what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	now      *progress
	form     *form
}

// commandLine is the grammar of the command line.
type commandLine struct {
	Compile    compileCommand    `cmd:"" help:"Write the Go package of models and functions."`
	Check      checkCommand      `cmd:"" help:"Report the errors of programs, and write nothing."`
	Fmt        fmtCommand        `cmd:"" help:"Give programs their canonical layout."`
	Params     paramsCommand     `cmd:"" help:"List the trained tensors of models."`
	Summary    summaryCommand    `cmd:"" help:"Show shapes, flops and memory of models."`
	Explain    explainCommand    `cmd:"" help:"Show forward, gradients and update, as text, LaTeX or Markdown."`
	Graph      graphCommand      `cmd:"" help:"Draw models and functions."`
	Init       initCommand       `cmd:"" help:"Start a program in a folder: a network or a function."`
	Completion completionCommand `cmd:"" help:"Print a shell script that completes command lines."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
}

func main() {
	if completing() {
		printCompletions(os.Stdout)
		return
	}
	std := streams{os.Stdin, os.Stdout, os.Stderr, &progress{}, &form{}}
	os.Exit(guard(std, func() int { return run(os.Args[1:], std) }))
}

// run runs one command line and returns its exit code.
func run(args []string, std streams) int {
	if len(args) == 0 {
		return usage(std)
	}
	parser := newParser(std)
	args = doubleDashes(args)

	// Wrong usage says which help to ask for.
	ctx, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(std.err, "gradgen: %s\nRun gradgen %s for usage.\n", singleDashes(err.Error()), helpFor(parser, args))
		return exitUsage
	}

	switch err := ctx.Run(); {
	case err == nil:
		return exitOK
	case errors.Is(err, errFound):
		return exitFound
	default:
		printFailure(std, err)
		return exitUsage
	}
}

// usage prints the help for the whole as an error.
func usage(std streams) int {
	ctx, err := kong.Trace(newParser(streams{out: std.err, err: std.err}), nil)
	if err != nil {
		panic("command line: " + err.Error())
	}
	if err := ctx.PrintUsage(false); err != nil {
		fmt.Fprintln(std.err, "gradgen:", err)
	}
	return exitUsage
}

// newParser is the parser of the command line; what it parses can be run.
func newParser(std streams) *kong.Kong {
	parser, err := kong.New(&commandLine{},
		kong.Name("gradgen"),
		kong.Description("gradgen turns models and functions in .dnn files into Go packages."),
		kong.Writers(std.out, std.err),
		kong.Help(printHelp),
		kong.Bind(std))
	if err != nil {
		panic("command line: " + err.Error())
	}
	return parser
}
