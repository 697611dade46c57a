package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// classifierDir is the tiny checkpoint with three labels.
func classifierDir(t *testing.T) string {
	t.Helper()
	dir := tiny(t)
	path := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	config["id2label"] = map[string]string{"0": "no", "1": "yes & <sure>", "2": "no"}
	if data, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	withoutHead(t, dir, safetensors.Entry{Name: "classifier.weight", DType: safetensors.F32, Shape: []int{3, 32}, Data: bytes.Repeat([]byte{0, 0, 0x20, 0x3e, 0, 0, 0x40, 0xbe, 0, 0, 0, 0}, 32)},
		safetensors.Entry{Name: "classifier.bias", DType: safetensors.F32, Shape: []int{3}, Data: make([]byte, 12)})
	return dir
}

// labelled is a line of output.
type labelled struct {
	ID     json.RawMessage
	Error  string
	Labels []struct {
		Label string
		Score float32
	}
}

func readLabels(t *testing.T, out string) (all []labelled) {
	t.Helper()
	for _, line := range lines(out) {
		var one labelled
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

// Each line has its labels, the likeliest first, with the engine's values: of texts, and of
// pairs from JSON.
func TestClassify(t *testing.T) {
	dir, texts := classifierDir(t), append(passages(30), "", "a")
	e, err := engine.Open(dir, engine.Classifier(), engine.Device("cpu"), engine.Precision("f32"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	names := e.Info().Labels
	check := func(got []labelled, want []float32) {
		t.Helper()
		if len(got) != len(want)/3 {
			t.Fatalf("%d lines, want %d", len(got), len(want)/3)
		}
		for i, one := range got {
			row, sum := want[i*3:][:3], 0.0
			if len(one.Labels) != 3 || !slices.IsSortedFunc(one.Labels, func(a, b struct {
				Label string
				Score float32
			}) int {
				return int(math.Copysign(1, float64(b.Score-a.Score)))
			}) {
				t.Fatalf("line %d: %+v", i+1, one)
			}
			for _, l := range one.Labels {
				sum += float64(l.Score)
				if at := slices.Index(row, l.Score); at < 0 || names[at] != l.Label {
					t.Errorf("line %d: %+v, want %g", i+1, one, row)
				}
			}
			if math.Abs(sum-1) > 1e-6 {
				t.Errorf("line %d: a sum of %g", i+1, sum)
			}
		}
	}
	want, err := e.Classify(t.Context(), nil, texts)
	if err != nil {
		t.Fatal(err)
	}
	check(readLabels(t, ok(t, strings.Join(texts, "\n")+"\n", "classify", "--model", dir, "--precision", "f32")), want)
	if want, err = e.ClassifyPairs(t.Context(), nil, []engine.Pair{{Query: "a", Passage: "b"}, {Query: "b", Passage: ""}}); err != nil {
		t.Fatal(err)
	}
	check(readLabels(t, ok(t, `{"text":"a","text_pair":"b"}`+"\n\n"+`{"query":"b","passage":""}`+"\n", "classify", "--model", dir, "--jsonl", "--precision", "f32")), want)
}

// A bad line stops nothing; --top and --logits say what is written.
func TestClassifyLines(t *testing.T) {
	dir := classifierDir(t)
	o := call(t, "{\"id\":[7],\"text\":\"a\"}\n{\"id\":8}\n{\"text\":\"b\"}\n", "classify", "--model", dir, "--jsonl", "--top", "1")
	o.want(t, failed, `1 of 3 lines are in error, the first is line 2: no "text"`)
	got := readLabels(t, o.stdout)
	if len(got) != 3 || string(got[0].ID) != "[7]" || len(got[0].Labels) != 1 || string(got[1].ID) != "8" || got[1].Error != `line 2: no "text"` || len(got[2].Labels) != 1 {
		t.Errorf("%s", o.stdout)
	}
	raw := readLabels(t, ok(t, "a\n", "classify", "--model", dir, "--logits", "--top", "9"))
	if l := raw[0].Labels; len(raw) != 1 || len(l) != 3 || math.Abs(float64(l[0].Score+l[1].Score+l[2].Score)-1) < 1e-3 {
		t.Errorf("%+v", raw)
	}
}

// A model of labels is not for score and rank, which say what is; and info says what it has.
func TestClassifierKind(t *testing.T) {
	dir, encoder := classifierDir(t), embedderDir(t)
	withoutHead(t, encoder)
	const says = `has 3 labels, want 1: the model sorts pairs into classes, and gives them no single score ("minilm-metal classify" gives their probabilities)`
	call(t, pairLine(t, "a", "b"), "score", "--model", dir).want(t, failed, says)
	call(t, "a\n", "rank", "q", "--model", dir).want(t, failed, says)
	call(t, "a\n", "rank", "q", "--model", encoder).want(t, failed, `("minilm-metal embed" makes embeddings)`)
	call(t, "a\n", "classify", "--model", encoder).want(t, failed, `("minilm-metal embed" makes embeddings)`)
	call(t, "a\n", "classify").want(t, usage, "want --model")
	call(t, "a\n", "classify", "--model", dir, "--top", "-1").want(t, usage, "--top -1")
	call(t, "a\n", "classify", "x").want(t, usage, "texts come from standard input")
	got := ok(t, "", "info", "--model", dir, "--device", "cpu", "--precision", "f32")
	for _, want := range []string{"classifier, which sorts", `3, by softmax: "no", "yes & <sure>", "no"`, "cpu, f32,"} {
		if !strings.Contains(got, want) {
			t.Errorf("info lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "activation") {
		t.Errorf("of scores:\n%s", got)
	}
}
