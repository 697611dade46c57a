package peers

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// asFake and asPython, as the first argument, make the test binary a peer, or a Python that
// knows the modules venv and pip alone.
const (
	asFake   = "be-a-peer"
	asPython = "-m"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case asFake:
			os.Exit(fake(os.Args[2]))
		case asPython:
			os.Exit(fakePython(os.Args[2:]))
		}
	}
	os.Exit(m.Run())
}

// peer returns a fake as a participant.
func peer(t *testing.T, kind string) Peer {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Peer{Name: kind, Library: "fake " + kind, Precision: "f32", Command: []string{program, asFake, kind}}
}

// fake is a peer whose kind says what it does wrong, if anything.
func fake(kind string) int {
	switch kind {
	case "hangs":
		time.Sleep(time.Hour) // also when its input ends
	case "leaves one behind": // who holds its output
		child := exec.Command(os.Args[0], asFake, "hangs")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return 0
	case "forgets one": // who holds nothing of its
		child := exec.Command(os.Args[0], asFake, "hangs")
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.WriteFile(os.Getenv("PEERS_TEST_PID"), fmt.Append(nil, child.Process.Pid), 0o666)
	case "dies":
		fmt.Fprintln(os.Stderr, "Traceback\nMemoryError: all of it")
		return 3
	case "chatters":
		fmt.Println("Welcome to version 2")
	case "lacks": // as scripts/peer.py answers
		fmt.Println(`{"error":"No module named 'openvino'","missing":"openvino"}`)
	}
	if err := Serve(os.Stdin, os.Stdout, &fakeScorer{kind: kind}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

type fakeScorer struct {
	kind  string
	calls int
}

func (s *fakeScorer) Open(o Opening) (About, error) {
	if s.kind == "refuses" {
		return About{}, errors.New("no bfloat16 here")
	}
	return About{Input: "text", How: "as a fake", Unit: "pair", Versions: map[string]string{"fake": "1.2"}}, nil
}

// Score answers what truth says of each pair, or what its kind has in its place. The first call
// is for the first score, the second for the warm-up, the third for the first round.
func (s *fakeScorer) Score(rows []Row) (scores []float64, took []time.Duration, err error) {
	s.calls++
	if s.kind == "dies later" && s.calls == 4 {
		fmt.Fprintln(os.Stderr, "Segmentation fault")
		os.Exit(139)
	}
	for _, row := range rows {
		scores, took = append(scores, truth(row)), append(took, 2*time.Millisecond)
	}
	switch {
	case s.kind == "miscounts" && len(rows) > 1:
		scores = scores[1:]
	case s.kind == "is wrong", s.kind == "turns wrong" && s.calls > 2:
		scores[0] += 1
	case s.kind == "is no number":
		scores[0] = math.NaN()
	case s.kind == "goes back in time" && len(took) > 1:
		took[1] = -3 * time.Second
	}
	return scores, took, nil
}

// Embed answers three values of each text, or what its kind has in their place.
func (s *fakeScorer) Embed(rows []Row) (values []float32, took []time.Duration, err error) {
	for _, row := range rows {
		values, took = append(values, float32(len(row.Text)), 1, 2), append(took, time.Millisecond)
	}
	switch s.kind {
	case "miscounts":
		values = values[1:]
	case "is no number":
		values[0] = float32(math.NaN())
	case "is wrong":
		values[0]++
	}
	return values, took, nil
}

// truth is the score of a pair.
func truth(row Row) float64 { return float64(len(row.Query) + 10*len(row.Passage)) }

// pairs returns n pairs of different truth.
func pairs(n int) (rows []Row) {
	for i := range n {
		rows = append(rows, Row{Query: strings.Repeat("q", i+1), Passage: "p", IDs: []int32{1, 2}, Types: []int32{0, 1}})
	}
	return rows
}

// checkAgainst is what the gate of the bench is to a run.
func checkAgainst(rows []Row) func([]float64, string) (*recording.Accuracy, error) {
	return func(scores []float64, precision string) (*recording.Accuracy, error) {
		a := &recording.Accuracy{Pairs: len(scores), LogitSD: 1, Passed: true}
		for i, s := range scores {
			a.MeanError += math.Abs(s-truth(rows[i])) / float64(len(rows))
		}
		if a.Passed = a.MeanError == 0; !a.Passed {
			return a, fmt.Errorf("%s: off by %v", precision, a.MeanError)
		}
		return a, nil
	}
}
