package engine_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// variables are the project's own environment variables, all but three of which are for
// tests: none else changes what the command or the library does. CONTRIBUTING.md has the
// same table.
var variables = []struct{ name, what string }{
	{"MINILM_ALL_MODULES", "any value: the tests of licences fetch the modules of other systems' builds, and do not go without"},
	{"MINILM_CLIENTS", "a folder with the clients that `TestRealClients` runs, which `engine/serve/testdata/clients/setup` makes; that test skips where it is not set"},
	{"MINILM_CLIENTS_TRACE", "any value: the Python programs of that test print where a client raised its error"},
	{"MINILM_EMULATOR", "any value: the shaders must run on their emulator, and without clang tests fail instead of skipping"},
	{"MINILM_ISA", "instruction sets, with commas: one that the kernels' tests do not find is an error"},
	{"MINILM_MARCO_PAIRS", "how many pairs `TestMarco` scores on the shaders' emulator; 8 by default"},
	{"MINILM_METAL_ANY_GPU", "any value: a GPU of a family that is not known to run the shaders is tried where metal is asked for by name; a user's, too"},
	{"MINILM_METAL_BE_THE_COMMAND", "set by tests of the command for the processes that they start: the test's program is the command"},
	{"MINILM_METAL_REQUIRED", "any value: without a GPU that the shaders are known to run on, its tests fail instead of skipping"},
	{"MINILM_MODELS", "a folder with the models and pairs at full size that `TestMarco` reads; `.ci/run` shows how they are made"},
	{"MINILM_MUTATIONS", "any value: plants errors in the shaders one by one, and wants each found; a minute or more"},
	{"MINILM_REAL_MODEL", "a folder with all-MiniLM-L6-v2 as it was published; tests of its weights skip where it is not set. `.ci/run` fetches it"},
	{"MINILM_REAL_QUERIES", "how many queries of trained weights' pairs are scored, all 20 of each; 64 pairs of 4 queries by default"},
	{"MINILM_SERVE_KEY", "an API key of `serve`, beside those of its file; a user's, too"},
	{"MINILM_SHARED", "a folder of fetched data that is not committed; tests of it skip where it is not set"},
	{"MINILM_TEST_FULL_DISK", "set by a test of `pull` for the process that it starts: the folder on a full disk"},
	{"MINILM_TEST_HOSTILE_DIR", "set by a test of hostile checkpoints for the process that it starts: the folder to open"},
	{"MINILM_TEST_HOSTILE_PATH", "set by tests of hostile `pytorch_model.bin` files, recordings and lines for the process that they start: what to read or run"},
	{"MINILM_THOROUGH", "any value: the tests take every shape, tile and length that there is to try, as `.ci/run` has them do"},
	{"MINILM_TOKENIZERS", "a Python that has Hugging Face's `tokenizers`, to compare random texts with"},
	{"MINILM_TOKENIZERS_BATCHES", "how many tokenizer configurations are compared, of 512 pairs each; 100 by default"},
	{"MINILM_TOKENIZERS_SEED", "the seed of that comparison; 1 by default"},
	{"MINILM_TOKENIZERS_TRUNCATED", "of how many batches of 1000 random pairs truncation is compared; 20 by default"},
	{"MINILM_URL_KEY", "the bearer token for the server of `bench --url`; a user's, too"},
}

const contributing = "../.github/CONTRIBUTING.md"

var variable = regexp.MustCompile(`\bMINILM_[A-Z0-9_]*[A-Z0-9]\b`)

// Each variable that any file of the tree names is in the list, and none that no file
// uses is.
func TestVariables(t *testing.T) {
	used := map[string]string{} // the first file that has it
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if name := e.Name(); name == ".git" || name == ".dist" || name == "bench-report" {
				return fs.SkipDir
			}
			return nil
		}
		if info, err := e.Info(); err != nil || !info.Mode().IsRegular() || info.Size() > 1<<20 {
			return err
		}
		// The two that say what there is use nothing.
		if path == filepath.Clean(contributing) || filepath.Base(path) == "variables_test.go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, name := range variable.FindAll(text, -1) {
			if _, known := used[string(name)]; !known {
				used[string(name)] = path
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variables {
		if _, ok := used[v.name]; !ok {
			t.Errorf("%s is in the list, but no file uses it", v.name)
		}
		delete(used, v.name)
	}
	for name, path := range used {
		t.Errorf("%s: %s is not in the list of variables, engine/variables_test.go", path, name)
	}
}

// CONTRIBUTING's table has a line for each, word for word and in the same order.
func TestVariablesAreTold(t *testing.T) {
	text, err := os.ReadFile(contributing)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, v := range variables {
		want = append(want, "| `"+v.name+"` | "+v.what+" |")
	}
	for line := range strings.Lines(string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))) {
		if strings.HasPrefix(line, "| `MINILM_") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s has\n%s\nwant\n%s", contributing, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !slices.IsSortedFunc(variables, func(a, b struct{ name, what string }) int { return strings.Compare(a.name, b.name) }) {
		t.Error("the list is not sorted")
	}
}
