package main

import (
	"os"
	"testing"
)

// beCommand, in the environment, makes the test binary the command itself, for tests of
// what only a process has: signals, and files that are open or closed.
const beCommand = "MINILM_METAL_BE_THE_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(beCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}
