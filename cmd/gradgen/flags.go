package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// doubleDashes gives the flags among args the two dashes that kong wants, so
// that one dash does as well; -h and all that follows a -- stay. A leading
// `help` asks for the help of the command behind it.
func doubleDashes(args []string) []string {
	if len(args) > 0 && args[0] == "help" {
		args = append(args[1:len(args):len(args)], "--help")
	}
	out := make([]string, len(args))
	for i, a := range args {
		if a == "--" {
			copy(out[i:], args[i:])
			break
		}
		out[i] = a
		if len(a) > 1 && a[0] == '-' && a[1] != '-' && a != "-h" {
			out[i] = "-" + a
		}
	}
	return out
}

// twoDashes matches the start of a flag as kong prints it.
var twoDashes = regexp.MustCompile(`(^|[\s\[("=])--([a-z])`)

// singleDashes spells the flags in text as Go's tools do.
func singleDashes(text string) string { return twoDashes.ReplaceAllString(text, "$1-$2") }

// printHelp prints kong's help with single dashes.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	out := ctx.Stdout
	var b bytes.Buffer
	ctx.Stdout = &b
	err := kong.DefaultHelpPrinter(options, ctx)
	ctx.Stdout = out
	if err != nil {
		return err
	}
	_, err = out.Write([]byte(singleDashes(b.String())))
	return err
}

// helpFor is the arguments that print the help closest to args.
func helpFor(parser *kong.Kong, args []string) string {
	for _, command := range parser.Model.Children {
		if len(args) > 0 && command.Name == args[0] {
			return "help " + command.Name
		}
	}
	return "help"
}

// examples is pairs of a command line and what it does, as a part of a help
// text.
func examples(pairs ...string) string {
	var b strings.Builder
	b.WriteString("Examples:\n")
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(&b, "\n  %s\n      %s", pairs[i], pairs[i+1])
	}
	return b.String()
}
