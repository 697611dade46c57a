package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// arguments requires exactly the named arguments, and says which are missing or too many.
// hint is what the user may have meant instead, or "".
func arguments(hint string, names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		meant := ""
		if hint != "" {
			meant = ": " + fmt.Sprintf(hint, quoted(args))
		}
		switch {
		case len(args) == len(names):
			return nil
		case len(args) < len(names):
			return usageError("%s is missing", strings.Join(names[len(args):], " "))
		case len(names) == 0:
			return usageError("%s takes no arguments, and there is %s%s", c.Name(), quoted(args), meant)
		}
		return usageError("%s takes %s, and there are %d arguments%s", c.Name(), strings.Join(names, " "), len(args), meant)
	}
}

// noArguments is for commands that read pairs from a file and take no arguments. One word
// may be meant as a file's name, several as a query.
func noArguments(c *cobra.Command, args []string) error {
	hint := fileFlag
	if strings.Contains(quoted(args), " ") {
		hint = noQuery
	}
	return arguments(hint)(c, args)
}

// quoted joins words of a command line to one quoted argument.
func quoted(words []string) string { return `"` + strings.Join(words, " ") + `"` }

// Hints for users who give too many words.
const (
	quoteQuery = `one query goes in quotes, minilm-metal rank %s, and passages come from standard input or --input`
	textsFile  = `texts come from standard input, or from a file with --input %s`
	fileFlag   = `pairs come from standard input, or from a file with --input %s`
	noQuery    = `pairs come from standard input or --input; one query, in quotes, is for minilm-metal rank %s`
)
