package main

// checkCommand is `gradgen check`.
type checkCommand struct {
	reporting
	settings
	Files []string `arg:"" help:"Programs, folders, and trees of folders (./...)."`
}

// Help gives examples.
func (c *checkCommand) Help() string {
	return "The exit code is 1 where there are errors. " + examples(
		"gradgen check model.dnn", "each error with its place, on standard error",
		"gradgen check -json ./...", "an object for each, on standard output, for editors")
}

// Run reports every error that compile would find, those of Go names among
// them, and writes nothing.
func (c *checkCommand) Run(std streams) error {
	sources, err := load(std, c.Files, c.settings)
	if err != nil {
		return err
	}
	_, err = (&compileCommand{settings: c.settings}).emit(std, sources)
	return err
}
