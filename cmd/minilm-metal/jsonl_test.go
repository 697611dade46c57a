package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// dataset measures the pairs of a file with the tiny checkpoint, as many as asked for.
func dataset(t *testing.T, text string, pairs int) (outcome, string) {
	t.Helper()
	dir := t.TempDir()
	data, out := filepath.Join(dir, "in.jsonl"), filepath.Join(dir, "out")
	if err := os.WriteFile(data, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return call(t, "", "bench", "--model", tiny(t), "--device", "cpu", "--dataset", data, "--pairs", fmt.Sprint(pairs), "--batch", "2", "--time-bound", "20s", "--out", out), out
}

// Half of a surrogate pair is no character, as a byte that is not UTF-8 is none: whoever
// reads the text refuses both, and says where. A pair of them is one, and U+FFFD is itself.
func TestLoneSurrogate(t *testing.T) {
	modeltest.OnlyValues(t)
	dir := tiny(t)
	fine := `{"query":"\ud83d\ude00 \ufffd","passage":"\\ud800"}`
	for _, bad := range []string{`\ud800`, `\uDFFF`, `\ud83d\ud83d\ude00`, `\ud83d \ude00`, `\\\ud800`, "\xff"} {
		line := `{"query":"a","passage":"` + bad + `"}`
		for _, command := range []string{"score", "tokenize"} {
			o := call(t, fine+"\n"+line+"\n"+fine, command, "--model", dir)
			o.want(t, failed, "1 of 3 lines are in error, the first is line 2: column 2")
			if got := answers(t, o.stdout); len(got) != 3 || got[0].Error != nil || got[1].Error == nil || got[2].Error != nil {
				t.Errorf("%s %q: %s", command, bad, o.stdout)
			}
		}
		call(t, fine+"\n"+line, "rank", "q", "--jsonl", "--model", dir).want(t, failed, "line 2: column 2", "1 of 2 lines have no score")
		o, _ := dataset(t, fine+"\n"+line, 4)
		o.want(t, failed, "in.jsonl:2: column 2")
	}
	if o, _ := dataset(t, fine+"\n", 2); o.code != good {
		t.Errorf("a pair of surrogates: %s", o.stderr)
	}
}

// Blank lines hold nothing, whoever reads them, and count as lines all the same.
func TestBlankLines(t *testing.T) {
	modeltest.OnlyValues(t)
	dir := tiny(t)
	pair := pairLine(t, "a", "b")
	for _, blank := range []string{"\n", "  \t\n", "\r\n", " \r\n", "\n\r\n \n"} {
		in := "\ufeff" + blank + pair + blank + pair + blank
		for _, args := range [][]string{{"score"}, {"tokenize"}, {"rank", "q", "--jsonl"}} {
			args = append(args, "--model", dir)
			if got, want := ok(t, in, args...), ok(t, pair+pair, args...); got != want {
				t.Errorf("%s, %q: %q, want %q", args[0], blank, got, want)
			}
		}
		number := 1 + strings.Count(in, "\n")
		o := call(t, in+"{", "score", "--model", dir)
		o.want(t, failed, fmt.Sprintf("1 of 3 lines are in error, the first is line %d: ", number))
		call(t, in+"{", "rank", "q", "--jsonl", "--model", dir).want(t, failed, fmt.Sprintf("line %d: ", number))
		o, _ = dataset(t, in+"{", 3)
		o.want(t, failed, fmt.Sprintf("in.jsonl:%d: ", number))
		o, _ = dataset(t, in, 4)
		o.want(t, good)
	}
}

// A line with a list, as rerank services take it, is answered by a line with a list: each
// pair as if it were alone.
func TestDocuments(t *testing.T) {
	modeltest.OnlyValues(t)
	e, dir := tinyEngine(t), tiny(t)
	var texts []string
	for _, p := range synth.Pairs(4, 2*ahead) { // more than are read ahead
		texts = append(texts, p.Passage[:15])
	}
	line := func(name string, list any) string {
		out, err := json.Marshal(map[string]any{"query": question, name: list, "top_n": 1, "model": "x"})
		if err != nil {
			t.Fatal(err)
		}
		return string(out) + "\n"
	}
	objects := []any{map[string]any{"text": texts[0], "id": 1}, texts[1]}
	stdin := line("documents", texts) + line("passage", texts[2]) + line("texts", texts[3:5]) + line("passages", texts[:1]) +
		line("documents", objects) + line("text", texts[6]) + line("documents", []string{})
	want := [][]string{texts, {texts[2]}, texts[3:5], texts[:1], texts[:2], {texts[6]}, {}}

	check := func(name, stdout string) {
		t.Helper()
		got := lines(stdout)
		if len(got) != len(want) {
			t.Fatalf("%s: %d lines for %d", name, len(got), len(want))
		}
		for i, passages := range want {
			var pairs []engine.Pair
			for _, p := range passages {
				pairs = append(pairs, engine.Pair{Query: question, Passage: p})
			}
			scores, err := e.Score(t.Context(), nil, pairs)
			if err != nil {
				t.Fatal(err)
			}
			var a struct {
				Score  *float32
				Scores []float32
			}
			if err := json.Unmarshal([]byte(got[i]), &a); err != nil {
				t.Fatal(err)
			}
			if single := i == 1 || i == 5; single != (a.Score != nil) || single == (a.Scores != nil) {
				t.Errorf("%s: line %d: %.60s", name, i+1, got[i])
			} else if single {
				a.Scores = []float32{*a.Score}
			}
			if !slices.Equal(a.Scores, scores) {
				t.Errorf("%s: line %d: %v, want %v", name, i+1, a.Scores, scores)
			}
		}
	}
	check("score", ok(t, stdin, "score", "--model", dir))
	// Of an empty list of tokens nobody can say whether it is of pairs or one pair's.
	stdin, want = strings.TrimSuffix(stdin, line("documents", []string{})), want[:len(want)-1]
	tokens := ok(t, stdin, "tokenize", "--model", dir)
	check("tokenize, then score", ok(t, tokens, "score", "--model", dir))
	if again := ok(t, tokens, "tokenize", "--model", dir); again != tokens {
		t.Error("tokenizing tokens changes them")
	}
	// What is wrong with one pair of a line is an error of the line, and of no other.
	o := call(t, `{"input_ids":[[5],[6],[700]]}`+"\n"+pairLine(t, "a", "b"), "score", "--model", dir)
	o.want(t, failed, `1 of 2 lines are in error, the first is line 1: pair 3 of the line: "input_ids"[0]: 700`)
	if got := lines(o.stdout); len(got) != 2 || got[1]+"\n" != ok(t, pairLine(t, "a", "b"), "score", "--model", dir) {
		t.Errorf("%q", got)
	}

	// A data set has them as pairs; to rank them there is one on a line.
	o, out := dataset(t, line("documents", texts[:3])+line("texts", texts[3:]), 4)
	o.want(t, good)
	rec, err := recording.Read(filepath.Join(out, recording.File))
	if err != nil || rec.Dataset.Pairs != 4 {
		t.Errorf("%+v, %v", rec, err)
	}
	call(t, line("documents", texts[:2]), "rank", "q", "--jsonl", "--model", dir).want(t, failed, `line 1: "documents": here each line is one passage`)
}
