package serve_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// told is what a client returned or raised for one case.
type told struct {
	Order        []int       `json:"order"`  // indices of documents, best first
	Scores       []float64   `json:"scores"` // in that order
	Documents    []string    `json:"documents"`
	InOrder      []float64   `json:"in order"` // scores in the order of the documents
	Rows         [][]float64 `json:"rows"`     // embeddings
	Similarities []float64   `json:"similarities"`
	Labels       [][]label   `json:"labels"` // of each text, the most probable first
	Tokens       [][]int32   `json:"tokens"`
	Error        string      // the exception's type
	Text         string      // and its message
	Status       int         // where the client's error has it

	all json.RawMessage
}

type label struct {
	Label string
	Score float32
}

func (a *told) UnmarshalJSON(data []byte) error {
	type plain told
	a.all = slices.Clone(data)
	return json.Unmarshal(data, (*plain)(a))
}

// Real clients get from a real server what they ask for: the engine's scores bit for bit, in its
// order, and errors that they can tell. The programs are in testdata/clients, and cases.py
// there says how they work; setup there makes the folder that MINILM_CLIENTS names.
func TestRealClients(t *testing.T) {
	folder := os.Getenv("MINILM_CLIENTS")
	if folder == "" {
		t.Skip("MINILM_CLIENTS is not set: .ci/run says how to make the folder")
	}
	wanted := maps.Clone(wantedOfRankers)
	maps.Copy(wanted, wantedOfOthers)
	for program, cases := range wanted {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			var mu sync.Mutex
			requests := map[string][]request{}
			control := s.control(t, func(name string, all []request) {
				mu.Lock()
				defer mu.Unlock()
				requests[name] = all
			})
			got := runClient(t, folder, program, control)
			for name, want := range cases {
				a, has := got[name]
				if !has {
					t.Errorf("%s: the program does not have the case", name)
					continue
				}
				want.check(t, s, name, a, requests[name])
			}
			for name := range got {
				if _, has := cases[name]; !has {
					t.Errorf("%s: no test knows the case: %s", name, got[name].all)
				}
			}
		})
	}
}

// runClient runs a program of testdata/clients and returns what it got for each case.
func runClient(t *testing.T, folder, program, control string) map[string]told {
	t.Helper()
	folder, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	cmd := clientCommand(folder, program)
	cmd.Args = append(cmd.Args, control)
	// Nothing of the user's tells a client where to go, or which key to take.
	cmd.Env = slices.DeleteFunc(cmd.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(strings.ToUpper(v), "=")
		return strings.HasSuffix(name, "_PROXY") || strings.HasSuffix(name, "_API_KEY") || strings.HasSuffix(name, "_TOKEN")
	})
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, tail(stderr.String()))
	}
	lines := strings.Split(strings.TrimSpace(string(stdout)), "\n")
	var got struct {
		Versions map[string]string
		Answers  map[string]told
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil { // libraries print, too
		t.Fatalf("%v printed %s: %v\n%s", cmd.Args, stdout, err, tail(stderr.String()))
	}
	if len(got.Versions) == 0 || len(got.Answers) == 0 {
		t.Fatalf("%v printed %s\n%s", cmd.Args, stdout, tail(stderr.String()))
	}
	for _, name := range slices.Sorted(maps.Keys(got.Versions)) {
		t.Log(name, got.Versions[name])
	}
	return got.Answers
}

// clientCommand runs a program as its language wants it.
func clientCommand(folder, program string) *exec.Cmd {
	python, exe := filepath.Join(folder, "python", "bin", "python"), ""
	if runtime.GOOS == "windows" {
		python, exe = filepath.Join(folder, "python", "Scripts", "python.exe"), ".exe"
	}
	var cmd *exec.Cmd
	switch filepath.Ext(program) {
	case ".py":
		cmd = exec.Command(python, program)
		// What is compiled is kept for the next program, and not in this tree.
		cmd.Env = append(os.Environ(), "PYTHONPYCACHEPREFIX="+filepath.Join(folder, "pycache"), "PYTHONDONTWRITEBYTECODE=")
		if program == "run_cohere.py" { // a newer version than that which others are made for
			cmd.Env = append(cmd.Env, "PYTHONPATH="+filepath.Join(folder, "cohere"))
		}
	case ".cjs":
		cmd = exec.Command("node", program)
		cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(folder, "node_modules"))
	default:
		cmd = exec.Command(filepath.Join(folder, program+exe))
	}
	cmd.Dir = filepath.Join("testdata", "clients")
	return cmd
}

// tail is the end of what a program said.
func tail(text string) string {
	const most = 4000
	return text[max(0, len(text)-most):]
}
