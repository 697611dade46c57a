package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// man writes manual pages. It is for packagers, and so not listed.
func (p *program) man() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write manual pages",
		Long:    "Write a manual page for each command to a directory, which is made if need be.",
		Example: "  minilm-metal man ./man1 && man ./man1/minilm-metal-rank.1",
		Hidden:  true,
		Args:    arguments("", "DIR"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return err
			}
			header := &doc.GenManHeader{Section: "1", Source: "minilm-metal", Manual: "minilm-metal"}
			return doc.GenManTree(c.Root(), header, args[0])
		},
	}
}
