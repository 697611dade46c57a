package main

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
)

// Texts come sorted by the model's similarity, or the one that is asked for, of embeddings with
// the prompts of queries and documents.
func TestSimilarity(t *testing.T) {
	dir, texts := embedderDir(t), append(passages(25), "", "with\ttab")
	if err := os.WriteFile(filepath.Join(dir, "config_sentence_transformers.json"),
		[]byte(`{"prompts":{"query":"who ","passage":"the city "},"default_prompt_name":"query","similarity_fn_name":"manhattan"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args            []string
		by              vectors.Similarity
		query, document string
		dim             int
	}{
		{nil, vectors.Manhattan, "who ", "the city ", 32},
		{[]string{"--by", "cosine", "--dim", "9"}, vectors.Cosine, "who ", "the city ", 9},
		{[]string{"--by", "dot", "--query-prompt", "", "--document-prompt", "many "}, vectors.Dot, "", "many ", 32},
		{[]string{"--by", "euclidean", "--normalize"}, vectors.Euclidean, "who ", "the city ", 32},
	} {
		to := embeddings(t, dir, []string{question}, engine.Prompt(c.query))[0][:c.dim]
		unit := slices.Contains(c.args, "--normalize")
		if unit {
			vectors.Normalize(to)
		}
		type scored struct {
			text  string
			score float32
		}
		var want []scored
		for i, row := range embeddings(t, dir, texts, engine.Prompt(c.document)) {
			want = append(want, scored{texts[i], 0})
			if unit {
				vectors.Normalize(row)
			}
			want[i].score = c.by.Of(to, row[:c.dim])
		}
		slices.SortStableFunc(want, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
		got := lines(ok(t, strings.Join(texts, "\n"), append([]string{"similarity", question, "--model", dir, "--precision", "f32"}, c.args...)...))
		if len(got) != len(want) {
			t.Fatalf("%q: %d lines, want %d", c.args, len(got), len(want))
		}
		for i, line := range got {
			number, text, _ := strings.Cut(line, "\t")
			if score, err := strconv.ParseFloat(number, 32); err != nil || float32(score) != want[i].score || text != want[i].text {
				t.Errorf("%q: place %d: %q, want %v", c.args, i, line, want[i])
			}
		}
	}
	got := ok(t, "", "info", "--model", dir, "--device", "cpu")
	if !strings.Contains(got, "cross-encoder") { // which has a head, too: openAny opens it for scores
		t.Error(got)
	}
	withoutHead(t, dir)
	if got := ok(t, "", "info", "--model", dir, "--device", "cpu"); !strings.Contains(got, "similarity") || !strings.Contains(got, "manhattan\n") {
		t.Errorf("info does not tell the similarity:\n%s", got)
	}
	var a about
	if err := json.Unmarshal([]byte(ok(t, "", "info", "--model", dir, "--json", "--device", "cpu")), &a); err != nil || a.Model.Similarity != "manhattan" {
		t.Errorf("%q, %v", a.Model.Similarity, err)
	}
}

// Lines, ids and errors are as in rank.
func TestSimilarityLines(t *testing.T) {
	dir := embedderDir(t)
	o := call(t, "{\"id\":7,\"text\":\"who\"}\n\n{}\n{\"passage\":\"a cell\",\"id\":\"x\"}\n", "similarity", "who", "--model", dir, "--jsonl", "--json", "--top-k", "2", "--query-prompt", "")
	o.want(t, failed, "1 of 3 lines have no score", `line 3: no "passage"`)
	got := lines(o.stdout)
	var first struct {
		Score   float32
		Index   int
		ID      any
		Passage string
	}
	if len(got) != 2 || json.Unmarshal([]byte(got[0]), &first) != nil || first.Passage != "who" || first.Index != 0 || first.ID != 7.0 || first.Score < 0.999999 {
		t.Errorf("%q, %+v", got, first)
	}
	if got := lines(ok(t, "a\nb\nc\n", "similarity", "b", "--model", dir, "-k", "1", "--query-prompt", "")); len(got) != 1 || !strings.HasSuffix(got[0], "\tb") {
		t.Errorf("%q", got)
	}
}

// What is the same is at the distance 0, and the shortest length leaves the special tokens alone,
// which are those of all texts.
func TestSimilarityOfTheSame(t *testing.T) {
	dir := embedderDir(t)
	for _, args := range [][]string{{"--query-prompt", ""}, {"--max-length", "2", "--by", "manhattan"}} {
		got := ok(t, "who\nwho\n", append([]string{"similarity", "who", "--model", dir, "--by", "euclidean", "--precision", "f32"}, args...)...)
		if got != "0\twho\n0\twho\n" {
			t.Errorf("%q: %q", args, got)
		}
	}
	call(t, "a\n", "similarity", "q", "--model", dir, "--max-length", "1").want(t, usage, "--max-length 1: want at least 2")
	call(t, "a\n", "embed", "--model", dir, "--max-length", "1").want(t, usage, "--max-length 1: want at least 2")
	if got := lines(ok(t, "who\n\n", "embed", "--model", dir, "--max-length", "2", "--precision", "f32", "--prompt", "")); len(got) != 2 || got[0] != got[1] {
		t.Errorf("%q", got)
	}
}

func TestSimilarityRefuses(t *testing.T) {
	dir := embedderDir(t)
	call(t, "a\n", "similarity", "q").want(t, usage, "want --model")
	call(t, "a\n", "similarity", "q", "p", "--model", dir).want(t, usage, `minilm-metal similarity "q p"`)
	call(t, "a\n", "similarity", "--model", dir).want(t, usage, "QUERY is missing")
	call(t, "a\n", "similarity", "q", "--model", dir, "--by", "angle").want(t, usage, `--by "angle": want cosine`)
	call(t, "a\n", "similarity", "q", "--model", dir, "--dim", "40").want(t, usage, "--dim 40: the model's embeddings have 32 values")
	call(t, "a\n", "similarity", "q", "--model", dir, "--top-k", "-1").want(t, usage, "--top-k -1")
	call(t, "a\n", "similarity", "q", "--model", classifierDir(t)).want(t, good, "there is no modules.json")
}
