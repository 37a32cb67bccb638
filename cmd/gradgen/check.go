package main

// checkCommand is `gradgen check`.
type checkCommand struct {
	settings
	Files []string `arg:"" help:"Programs, folders, and trees of folders (./...)."`
}

// Run reports every error that compile would find, and writes nothing.
func (c *checkCommand) Run(std streams) error {
	sources, err := load(std, c.Files, c.settings)
	if err != nil {
		return err
	}
	_, err = plan(std, sources)
	return err
}
