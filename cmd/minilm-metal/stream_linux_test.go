package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/memorytest"
)

// longLines names, to a child process, the command that it shall run.
const longLines = "MINILM_TEST_HOSTILE_PATH"

// However long lines are, memory holds as many of them as have some megabytes, and not the
// thousand that are read ahead of short ones.
func TestLongLinesInLittleMemory(t *testing.T) {
	if command := os.Getenv(longLines); command != "" {
		dir := embedderDir(t)
		file := filepath.Join(dir, "tokenizer_config.json")
		data, err := os.ReadFile(file)
		if err == nil { // all of a line is tokenized, which takes longer than to read it
			err = os.WriteFile(file, bytes.Replace(data, []byte("{"), []byte(`{"truncation_side":"left",`), 1), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		line := strings.Repeat("how many people live in the city ", 1<<16)[:2<<20-1] + "\n"
		var in []io.Reader
		for range 80 {
			in = append(in, strings.NewReader(line))
		}
		args := append(strings.Fields(command), "--model", dir, "--precision", "f32", "--workers", "2")
		var stderr strings.Builder
		code := run(t.Context(), args, io.MultiReader(in...), io.Discard, &stderr, func(string) string { return "" })
		if code != good {
			t.Fatal(code, stderr.String())
		}
		memorytest.Report(t, nil)
		return
	}
	for _, command := range []string{"embed", "similarity who --top-k 3"} {
		if message, peak := memorytest.Peak(t, t.Name(), longLines, command); !strings.Contains(message, "error: <nil>") || peak > 160<<20 {
			t.Errorf("%s: %d MB, %s", command, peak>>20, message)
		}
	}
}
