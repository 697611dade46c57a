package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// answered is a line of score's or tokenize's output.
type answered struct {
	Score *float32 `json:"score"`
	Error *string  `json:"error"`
	IDs   []int32  `json:"input_ids"`
	Types []int32  `json:"token_type_ids"`
}

func answers(t *testing.T, stdout string) (all []answered) {
	t.Helper()
	for _, line := range lines(stdout) {
		var a answered
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if (a.Error == nil) == (a.Score == nil && a.IDs == nil) {
			t.Fatalf("%q: want an answer or an error", line)
		}
		all = append(all, a)
	}
	return all
}

func pairLine(t *testing.T, query, passage string) string {
	t.Helper()
	line, err := json.Marshal(map[string]string{"query": query, "passage": passage})
	if err != nil {
		t.Fatal(err)
	}
	return string(line) + "\n"
}

func tinyEngine(t *testing.T, opts ...engine.Option) *engine.Engine {
	t.Helper()
	e, err := engine.OpenFS(testdata.Tiny(), append([]engine.Option{engine.Precision("f32")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// Text and tokens in any mixture, more than are read ahead: every line gets the score
// that the engine gives it, in order, and reading it back loses nothing.
func TestScore(t *testing.T) {
	e := tinyEngine(t)
	var (
		stdin   strings.Builder
		pairs   []engine.Pair
		encoder = json.NewEncoder(&stdin)
	)
	for i, p := range synth.Pairs(3, ahead+50) {
		p.Passage = p.Passage[:20] // many lines matter here, not long ones
		pairs = append(pairs, engine.Pair{Query: p.Query, Passage: p.Passage})
		line := map[string]any{"extra": i, "P": 1, "Query": nil}
		switch i % 3 {
		case 0:
			line["query"], line["passage"] = p.Query, p.Passage
		case 1:
			line["q"], line["p"] = p.Query, p.Passage
		case 2:
			var b model.Batch
			e.Tokenize(&b, pairs[i:])
			line["input_ids"], line["token_type_ids"] = b.IDs, b.Types
		}
		if err := encoder.Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	want, err := e.Score(t.Context(), nil, pairs)
	if err != nil {
		t.Fatal(err)
	}
	got := answers(t, ok(t, stdin.String(), "score", "--model", tiny(t)))
	if len(got) != len(want) {
		t.Fatalf("%d lines for %d", len(got), len(want))
	}
	for i := range want {
		if got[i].Score == nil || *got[i].Score != want[i] {
			t.Errorf("line %d: %v, want %v", i+1, got[i].Score, want[i])
		}
	}
}

// The golden logits are PyTorch's in float64.
func TestScoreTokensGolden(t *testing.T) {
	var golden struct {
		Sequences []struct {
			IDs   []int32 `json:"input_ids"`
			Types []int32 `json:"token_type_ids"`
			Logit float64 `json:"logit"`
		} `json:"sequences"`
	}
	dir := tiny(t)
	data, err := os.ReadFile(filepath.Join(dir, "golden.json"))
	if err == nil {
		err = json.Unmarshal(data, &golden)
	}
	if err != nil || len(golden.Sequences) == 0 {
		t.Fatal(err)
	}
	var stdin strings.Builder
	encoder := json.NewEncoder(&stdin)
	for _, s := range golden.Sequences {
		if err := encoder.Encode(s); err != nil {
			t.Fatal(err)
		}
	}
	// float64 within the file's digits; then rounded to float32.
	for i, a := range answers(t, ok(t, stdin.String(), "score", "--model", dir, "--device", "reference")) {
		if want := golden.Sequences[i].Logit; math.Abs(float64(*a.Score)-want) > 1e-6*math.Abs(want) {
			t.Errorf("sequence %d: %v, want %v", i, *a.Score, want)
		}
	}
}

var badLines = []struct{ line, want string }{
	{`{"query":5,"passage":"b"}`, `"query": number, want a string`},
	{`{"query":"a","passage":null}`, `"passage": null, want a string`},
	{`{"query":"a","passage":["b"]}`, `"passage": array`},
	{`{"query":"a"}`, `no "passage"`},
	{`{"passage":"a"}`, `no "query"`},
	{`{"q":"a"}`, `no "passage"`},
	{`{"Query":"a","Passage":"b"}`, `no "query"`},
	{`{}`, `no "query"`},
	{`[1]`, "array, want a JSON object"},
	{`"x"`, "string, want a JSON object"},
	{`null`, "null, want a JSON object"},
	{`{"query":"a","passage":"b"`, "not JSON"},
	{`{"query":"a","passage":"b"}{}`, "not JSON"},
	{strings.Repeat("[", 100_000), "not JSON"},
	{"{\"query\":\"\xff\",\"passage\":\"b\"}", "column 11: not UTF-8"},
	{`{"query":"a","passage":"b \ud83d c"}`, `column 27: "passage": the escape \ud83d is half of a surrogate pair`},
	{`{"query":"\udc00\ud800","passage":"b"}`, `column 11: "query": the escape \udc00`},
	{`{"query":"a","documents":["b",{"text":"\uDFFF"}]}`, `column 40: "documents"[1].text: the escape \uDFFF`},
	{`{"query":"a","documents":"b"}`, `"documents": string, want an array`},
	{`{"query":"a","documents":["b",7]}`, `"documents"[1]: number, want a string`},
	{`{"query":"a","documents":["b",{"body":"c"}]}`, `no "documents"[1].text`},
	{`{"query":"a","documents":["b"],"texts":["c"]}`, `both "documents" and "texts"`},
	{`{"documents":["b"]}`, `no "query"`},
	{`{"input_ids":[[5],[5,700]]}`, `pair 2 of the line: "input_ids"[1]: 700, want 0 to 699`},
	{`{"input_ids":[[5],6]}`, `"input_ids"[1]: number, want an array`},
	{`{"input_ids":[[5],[6]],"token_type_ids":[[0]]}`, "1 token_type_ids for 2 input_ids"},
	{`{"query":"a","passage":"b","input_ids":[5]}`, "both text and tokens"},
	{`{"input_ids":"5"}`, `"input_ids": string, want an array`},
	{`{"input_ids":[]}`, `"input_ids": no tokens`},
	{`{"input_ids":[1.5]}`, `"input_ids": number 1.5`},
	{`{"input_ids":[99999999999]}`, `"input_ids": number 99999999999`},
	{`{"input_ids":[1,null]}`, `"input_ids": null`},
	{`{"input_ids":[-1]}`, `"input_ids"[0]: -1, want 0 to 699`},
	{`{"input_ids":[5,700]}`, `"input_ids"[1]: 700, want 0 to 699`},
	{`{"input_ids":[5],"token_type_ids":[2]}`, `"token_type_ids"[0]: 2, want 0 to 1`},
	{`{"input_ids":[5],"token_type_ids":[0,0]}`, "2 token_type_ids for 1 input_ids"},
	{`{"token_type_ids":[0]}`, `no "input_ids"`},
	{`{"input_ids":[` + strings.Repeat("5,", 64) + `5]}`, "65 tokens, the model takes 64"},
}

// A bad line gets an error that names it, and its neighbours their answers.
func TestBadLines(t *testing.T) {
	fine := pairLine(t, "a", "b")
	dir := tiny(t)
	for _, command := range []string{"score", "tokenize"} {
		wantFine := ok(t, fine, command, "--model", dir)
		var stdin strings.Builder
		for _, bad := range badLines {
			stdin.WriteString(fine + bad.line + "\n")
		}
		stdin.WriteString(strings.TrimSuffix(fine, "\n"))
		o := call(t, stdin.String(), command, "--model", dir)
		o.want(t, failed, fmt.Sprintf("%d of %d lines are in error, the first is line 2: ", len(badLines), 2*len(badLines)+1))
		got := answers(t, o.stdout)
		out := lines(o.stdout)
		if len(got) != 2*len(badLines)+1 {
			t.Fatalf("%s: %d lines out", command, len(got))
		}
		for i := range got {
			if i%2 == 0 {
				if out[i]+"\n" != wantFine {
					t.Errorf("%s: line %d: %s, want %s", command, i+1, out[i], wantFine)
				}
				continue
			}
			bad := badLines[i/2]
			name := fmt.Sprintf("line %d: ", i+1)
			if got[i].Error == nil || !strings.HasPrefix(*got[i].Error, name) || !strings.Contains(*got[i].Error, bad.want) {
				t.Errorf("%s: %.60q: %s, want %q", command, bad.line, out[i], bad.want)
			}
		}
	}
}

func TestScoreFlags(t *testing.T) {
	dir := tiny(t)
	long := pairLine(t, "a", strings.Repeat("b ", 200))
	if got := answers(t, ok(t, long, "tokenize", "--model", dir, "--max-length", "20")); len(got[0].IDs) != 20 {
		t.Errorf("%d tokens, want 20", len(got[0].IDs))
	}
	whole, cut := ok(t, long, "score", "--model", dir), ok(t, long, "score", "--model", dir, "--max-length", "20")
	if whole == cut {
		t.Error("--max-length changes nothing")
	}
	logit := *answers(t, whole)[0].Score
	sigmoid := *answers(t, ok(t, long, "score", "--model", dir, "--sigmoid"))[0].Score
	if want := float32(1 / (1 + math.Exp(-float64(logit)))); sigmoid != want {
		t.Errorf("sigmoid %v, want %v", sigmoid, want)
	}
	if got := ok(t, long, "score", "--model", dir, "--workers", "1"); got != whole {
		t.Errorf("one worker: %s, want %s", got, whole)
	}
	file := filepath.Join(t.TempDir(), "in.jsonl")
	if err := os.WriteFile(file, []byte(long), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := ok(t, "", "score", "--model", dir, "--input", file); got != whole {
		t.Errorf("--input: %s, want %s", got, whole)
	}
	if got := ok(t, "", "score", "--model", dir); got != "" {
		t.Errorf("no lines: %q", got)
	}
}

// Lines of megabytes, and texts that are odd but text.
func TestAwkwardText(t *testing.T) {
	var stdin strings.Builder
	texts := []string{"", strings.Repeat("x", 1<<20), strings.Repeat("a b ", 1<<18), "\x00", "[SEP] [CLS]", "日本語 עברית", "\u200d\u0301", "\ufffd"}
	for _, s := range texts {
		stdin.WriteString(pairLine(t, s, s))
	}
	for i, a := range answers(t, ok(t, stdin.String(), "score", "--model", tiny(t))) {
		if a.Error != nil {
			t.Errorf("%.20q: %s", texts[i], *a.Error)
		}
	}
}

func TestNoScore(t *testing.T) {
	dir := overflowing(t)
	o := call(t, pairLine(t, "a", "b")+`{"query":"a","documents":["b","c"]}`, "score", "--model", dir)
	o.want(t, failed, "2 of 2 lines")
	if got := answers(t, o.stdout); *got[0].Error != "line 1: the model's result is not a number" || *got[1].Error != "line 2: pair 1 of the line: the model's result is not a number" {
		t.Errorf("%s", o.stdout)
	}
	o = call(t, "a\nb\n", "rank", "q", "--model", dir)
	o.want(t, failed, "line 1: the model's result is not a number", "2 of 2 lines")
	if o.stdout != "" {
		t.Errorf("rank wrote %q", o.stdout)
	}
}

func TestTokenizeIsTheTokenizers(t *testing.T) {
	dir := tiny(t)
	// The weights are not looked at.
	if err := os.Remove(filepath.Join(dir, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.LoadFS(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if tok, err = tok.Truncating(tokenizer.Truncation{MaxLength: 64}); err != nil {
		t.Fatal(err)
	}
	pairs := append(synth.Pairs(5, 40), synth.Pair{Query: "Héllo wörld [SEP]", Passage: "日本語\u0000x"}, synth.Pair{})
	var stdin strings.Builder
	for _, p := range pairs {
		stdin.WriteString(pairLine(t, p.Query, p.Passage))
	}
	for _, args := range [][]string{{}, {"config.json"}} {
		for _, file := range args { // without it, the tokenizer's own length holds
			if err := os.Remove(filepath.Join(dir, file)); err != nil {
				t.Fatal(err)
			}
		}
		got := answers(t, ok(t, stdin.String(), "tokenize", "--model", dir, "--max-length", "64"))
		for i, p := range pairs {
			ids, types, err := tok.AppendPair(nil, nil, p.Query, p.Passage)
			if err != nil || !slices.Equal(got[i].IDs, ids) || !slices.Equal(got[i].Types, types) {
				t.Errorf("%q: %v %v, want %v %v", p, got[i].IDs, got[i].Types, ids, types)
			}
		}
		// Tokens come out as they went in.
		out := ok(t, stdin.String(), "tokenize", "--model", dir, "--max-length", "64")
		if again := ok(t, out, "tokenize", "--model", dir); again != out {
			t.Error("tokenizing tokens changes them")
		}
	}
}

func TestAppendFloat(t *testing.T) {
	for _, x := range []float32{0, 1, -1, 8.607138, 1e-10, -3e38, math.SmallestNonzeroFloat32, 1.0 / 3, 16777216, 100000000} {
		text := string(appendFloat(nil, x))
		if back, err := strconv.ParseFloat(text, 32); err != nil || float32(back) != x {
			t.Errorf("%v is written %s", x, text)
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("%s is not JSON", text)
		}
	}
}

// A program may write one line and wait for its answer before the next, whatever it is.
func TestScoreAnswersAtOnce(t *testing.T) {
	in, ask := io.Pipe()
	answer, out := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(t.Context(), []string{"score", "--model", tiny(t)}, in, out, io.Discard, func(string) string { return "" })
		in.Close() // nobody waits for one that has ended
		out.Close()
	}()
	reply := jsonl.NewReader(answer)
	for _, c := range []struct{ line, want string }{
		{"\n" + pairLine(t, "a", "b"), `{"score":`},
		{`{"input_ids":[5,6]}` + "\n", `{"score":`},
		{"{\n", `{"error":"line 4: `},
		{"{\n", `{"error":"line 5: `},
		{`{"query":"a","documents":["b","c"]}` + "\n", `{"scores":[`},
		{pairLine(t, "a", "b"), `{"score":`},
	} {
		if _, err := io.WriteString(ask, c.line); err != nil {
			t.Fatal(err)
		}
		if line, err := reply.Next(); err != nil || !strings.HasPrefix(string(line), c.want) {
			t.Fatalf("%q: %q, %v, want %s", c.line, line, err, c.want)
		}
	}
	ask.Close()
	if code := <-done; code != failed {
		t.Errorf("exit code %d", code)
	}
}
