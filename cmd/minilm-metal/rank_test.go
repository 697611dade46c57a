package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

const question = "what is a cell"

func passages(n int) (all []string) {
	for _, p := range synth.Pairs(9, n) {
		all = append(all, p.Passage)
	}
	return all
}

func TestRank(t *testing.T) {
	texts := append(passages(30), "", "with\ttab", "\xff not UTF-8")
	want, err := tinyEngine(t).Rank(t.Context(), question, texts)
	if err != nil {
		t.Fatal(err)
	}
	dir, stdin := tiny(t), strings.Join(texts, "\n")
	for _, end := range []string{"", "\n", "\r\n"} {
		if end == "\r\n" {
			stdin = strings.ReplaceAll(stdin, "\n", "\r\n")
		}
		got := lines(ok(t, stdin+end, "rank", question, "--model", dir))
		if len(got) != len(texts) {
			t.Fatalf("%d lines, want %d", len(got), len(texts))
		}
		for i, r := range want {
			score, text, _ := strings.Cut(got[i], "\t")
			x, err := strconv.ParseFloat(score, 32)
			// A line comes out as it was; the text without the end is what gets the score.
			want := texts[r.Index]
			if end == "\r\n" {
				want += "\r"
			}
			if err != nil || float32(x) != r.Score || text != want {
				t.Errorf("place %d: %q, want %v and %q", i, got[i], r.Score, texts[r.Index])
			}
		}
	}
	all := lines(ok(t, stdin, "rank", question, "--model", dir))
	for _, k := range []int{0, 1, 5, 1000} {
		got := lines(ok(t, stdin, "rank", question, "--model", dir, "--top-k", fmt.Sprint(k)))
		if k == 0 || k > len(all) {
			k = len(all)
		}
		if !slices.Equal(got, all[:k]) {
			t.Errorf("top %d: %q", k, got)
		}
	}
	if out := ok(t, "", "rank", question, "--model", dir); out != "" {
		t.Errorf("no passages: %q", out)
	}
}

// Equal scores stay in the order of the input, however many.
func TestRankTies(t *testing.T) {
	const n = 5000
	got := lines(ok(t, strings.Repeat("same\n", n), "rank", "q", "--json", "--model", tiny(t)))
	if len(got) != n {
		t.Fatalf("%d lines", len(got))
	}
	for i, line := range got {
		if !strings.Contains(line, fmt.Sprintf(`"index":%d,`, i)) {
			t.Fatalf("place %d: %s", i, line)
		}
	}
}

func TestRankJSON(t *testing.T) {
	dir := tiny(t)
	var stdin strings.Builder
	texts := passages(8)
	ids := []string{`7`, `"seven"`, `{"a":[1]}`, `null`}
	for i, text := range texts {
		quoted, _ := json.Marshal(text)
		name := []string{"passage", "text"}[i%2]
		id := ""
		if i < len(ids) {
			id = `,"id":` + ids[i]
		}
		fmt.Fprintf(&stdin, "{%q:%s%s,\"other\":true}\n", name, quoted, id)
	}
	inputs := lines(stdin.String())
	want, err := tinyEngine(t, engine.Sigmoid()).Rank(t.Context(), question, texts)
	if err != nil {
		t.Fatal(err)
	}
	got := lines(ok(t, stdin.String(), "rank", question, "--jsonl", "--json", "--sigmoid", "--model", dir))
	plain := lines(ok(t, stdin.String(), "rank", question, "--jsonl", "--sigmoid", "--model", dir))
	for i, r := range want {
		var line struct {
			Score   float32
			Index   int
			ID      json.RawMessage
			Passage string
		}
		if err := json.Unmarshal([]byte(got[i]), &line); err != nil {
			t.Fatal(err)
		}
		id := ""
		if r.Index < len(ids) {
			id = ids[r.Index]
		}
		if line.Score != r.Score || line.Index != r.Index || line.Passage != texts[r.Index] || string(line.ID) != id {
			t.Errorf("place %d: %s, want %v of %s", i, got[i], r, inputs[r.Index])
		}
		if text := string(appendFloat(nil, r.Score)) + "\t" + inputs[r.Index]; plain[i] != text {
			t.Errorf("place %d: %q, want %q", i, plain[i], text)
		}
	}
}

// Bad lines are named and left out; an index still counts every line.
func TestRankBadLines(t *testing.T) {
	stdin := `{"passage":"a"}
{"passage":7}

{"text":"b","id":"last"}
`
	o := call(t, stdin, "rank", "q", "--jsonl", "--json", "--model", tiny(t))
	o.want(t, failed, `line 2: "passage": number, want a string`, "1 of 3 lines have no score")
	if got := lines(o.stdout); len(got) != 2 || !strings.Contains(o.stdout, `"index":3,"id":"last","passage":"b"`) {
		t.Errorf("%q", got)
	}
}

func TestRankMaxLength(t *testing.T) {
	dir := tiny(t)
	long := strings.Repeat("b ", 100)
	got := lines(ok(t, long+"x\n"+long+"y z", "rank", "q", "--model", dir, "--max-length", "10"))
	if first, second := strings.Fields(got[0])[0], strings.Fields(got[1])[0]; first != second {
		t.Errorf("texts that differ after 10 tokens: %s and %s", first, second)
	}
}
