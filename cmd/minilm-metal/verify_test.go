package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/metal"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// goldenScores writes PyTorch's scores of the tiny checkpoint as --scores has them.
func goldenScores(t *testing.T) (file string, n int) {
	t.Helper()
	data, err := fs.ReadFile(testdata.Tiny(), "golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Pairs []struct {
			Query, Passage string
			Logit          float64
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	var scores bytes.Buffer
	for _, p := range golden.Pairs {
		if err := json.NewEncoder(&scores).Encode(map[string]any{"query": p.Query, "passage": p.Passage, "score": p.Logit}); err != nil {
			t.Fatal(err)
		}
	}
	file = filepath.Join(t.TempDir(), "scores.jsonl")
	if err := os.WriteFile(file, scores.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return file, len(golden.Pairs)
}

// wrongScale returns the tiny checkpoint with attention's scores in one layer twice as
// large, as by a forgotten 1/√d.
func wrongScale(t *testing.T) string {
	t.Helper()
	const query = "bert.encoder.layer.1.attention.self.query."
	return changed(t, []string{query + "weight", query + "bias"},
		func(old float32) float32 { return 2 * old })
}

// verify meets PyTorch's scores of the tiny checkpoint on whatever device there is, the
// GPU first; a wrong scale planted in it is found, by more than precision explains.
func TestVerifyGoldens(t *testing.T) {
	scores, n := goldenScores(t)
	e, err := engine.OpenFS(testdata.Tiny(), engine.Device("metal"))
	there := err == nil
	if there {
		err = e.Close()
	}
	if err != nil && !errors.Is(err, metal.ErrUnavailable) {
		t.Fatal(err)
	}
	for _, device := range []string{"auto", "metal", "cpu", "reference"} {
		args := []string{"verify", "--scores", scores, "--device", device, "--model"}
		if device == "metal" && !there {
			call(t, "", append(args, tiny(t))...).want(t, failed, "metal: not available: ")
			continue
		}
		o := call(t, "", append(args, tiny(t))...)
		o.want(t, good)
		says := []string{"0 of them of scores farther apart", "\ndevice   " + map[bool]string{true: "metal, f16\ngpu      ", false: "cpu, f32\ngpu      none: "}[there]}
		if device == "cpu" {
			says[1] = "\ndevice   cpu, f32\n\n"
		}
		if device == "reference" {
			says[1] = "\ndevice   reference, f64\n\n"
		}
		for _, want := range says {
			if !strings.Contains(o.stdout, want) {
				t.Errorf("--device %s: no %q in\n%s", device, want, o.stdout)
			}
		}
		if strings.Count(o.stdout, "  ok  ") != n {
			t.Errorf("--device %s: not all of %d scores are met:\n%s", device, n, o.stdout)
		}
		call(t, "", append(args, wrongScale(t))...).want(t, failed, "scores are not the published ones")
	}
}

func TestVerifyScoresFile(t *testing.T) {
	const pair = `{"query":"a","passage":"b","score":1} `
	file := filepath.Join(t.TempDir(), "scores.jsonl")
	call(t, "", "verify", "--model", tiny(t), "--scores", file).want(t, failed, "scores.jsonl")
	for text, want := range map[string]string{
		"":                                  "no scores",
		pair + `{"score":"x"}`:              "score 2: ",
		`{"query":"a","passage":"b","sc`:    "score 1: ",
		pair + `nil`:                        "score 2: ",
		`{"passage":"b","score":1}`:         `score 1: no "query"`,
		pair + `{"query":"a","score":1}`:    `score 2: no "passage"`,
		pair + `{"query":"a","passage":""}`: `score 2: no "score"`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		call(t, "", "verify", "--model", tiny(t), "--scores", file).want(t, failed, "scores.jsonl: "+want)
	}
}
