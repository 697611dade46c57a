package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// arguments takes as many arguments as names has, and says what is missing or too many.
// hint is what the user may have meant instead; "" is none.
func arguments(hint string, names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if hint != "" && len(args) > len(names) {
			hint = ": " + fmt.Sprintf(hint, quoted(args))
		}
		switch {
		case len(args) == len(names):
			return nil
		case len(args) < len(names):
			return usageError("%s is missing", strings.Join(names[len(args):], " "))
		case len(names) == 0:
			return usageError("%s takes no arguments, and there is %s%s", c.Name(), quoted(args), hint)
		}
		return usageError("%s takes %s, and there are %d arguments%s", c.Name(), strings.Join(names, " "), len(args), hint)
	}
}

// quoted is some words of a command line as one of its arguments.
func quoted(words []string) string { return `"` + strings.Join(words, " ") + `"` }

// What somebody may have meant who gives too many words.
const (
	quoteQuery = `one query goes in quotes, minilm-metal rank %s, and passages come from standard input or --input`
	noQuery    = `pairs come from standard input or --input; one query, in quotes, is for minilm-metal rank %s`
)
