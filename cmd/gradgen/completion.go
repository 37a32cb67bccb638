package main

import (
	"embed"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/posener/complete"
)

// completionScripts ask gradgen for the completions of the line that is being
// typed, each in its shell's way.
//
//go:embed completion
var completionScripts embed.FS

// completionCommand is `gradgen completion`.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"The shell: bash, zsh, fish or powershell."`
}

// Help says where the script goes.
func (c *completionCommand) Help() string {
	return examples(
		"source <(gradgen completion bash)", "in ~/.bashrc",
		"source <(gradgen completion zsh)", "in ~/.zshrc, behind compinit",
		"gradgen completion fish > ~/.config/fish/completions/gradgen.fish", "once",
		"gradgen completion powershell | Out-String | Invoke-Expression", "in the file that $PROFILE names")
}

// Run prints the script for the shell.
func (c *completionCommand) Run(std streams) error {
	text, err := completionScripts.ReadFile("completion/" + c.Shell)
	if err != nil {
		return err
	}
	_, err = std.out.Write(text)
	return err
}

// completing reports whether a shell asks for completions.
func completing() bool { return os.Getenv("COMP_LINE") != "" }

// printCompletions prints what may stand at the end of the line in $COMP_LINE,
// cut at $COMP_POINT: commands, flags with one dash, their values, .dnn files
// and folders.
func printCompletions(w io.Writer) {
	c := complete.New("gradgen", completions(newParser(streams{}).Model.Node))
	c.Out = w
	c.Complete()
}

// completions is a node of the command line as the completion library has it.
func completions(n *kong.Node) complete.Command {
	c := complete.Command{Sub: complete.Commands{}, Flags: complete.Flags{"-help": complete.PredictNothing}}
	for _, child := range n.Children {
		c.Sub[child.Name] = completions(child)
	}
	if n.Type == kong.ApplicationNode {
		help := complete.Command{Sub: complete.Commands{}}
		for name := range c.Sub {
			help.Sub[name] = complete.Command{}
		}
		c.Sub["help"] = help
	}
	for _, f := range n.Flags {
		c.Flags["-"+f.Name] = flagValues(f)
	}
	for _, p := range n.Positional {
		c.Args = argValues(p, c.Args)
	}
	return c
}

// flagValues is what may follow a flag.
func flagValues(f *kong.Flag) complete.Predictor {
	switch {
	case f.IsBool() || f.Name == "code":
		return complete.PredictNothing
	case f.Enum != "":
		return complete.PredictSet(strings.Split(strings.Trim(f.Enum, ","), ",")...)
	case f.PlaceHolder == "DIR" || f.PlaceHolder == "CLONE":
		return complete.PredictDirs("*")
	case f.PlaceHolder == "FILE":
		return complete.PredictFiles("*")
	}
	return complete.PredictAnything
}

// argValues adds to what may be an argument: values that are listed, folders,
// else programs and folders. A name in a program can not be completed.
func argValues(p *kong.Positional, others complete.Predictor) complete.Predictor {
	var own complete.Predictor
	switch {
	case p.Enum != "":
		own = complete.PredictSet(strings.Split(p.Enum, ",")...)
	case p.Name == "dir":
		own = complete.PredictDirs("*")
	case p.Name == "name":
		return others
	default:
		own = complete.PredictFiles("*.dnn")
	}
	if others == nil {
		return own
	}
	return complete.PredictOr(others, own)
}
