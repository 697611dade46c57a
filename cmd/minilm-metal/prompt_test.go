package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// prompted is the tiny checkpoint with prompts, as sentence-transformers 5.4 and later save
// them, where the longest text is not to be cut.
func prompted(t *testing.T) string {
	t.Helper()
	dir := tiny(t)
	for name, text := range map[string]string{
		"modules.json":                      `[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"}]`,
		"config_sentence_transformers.json": `{"model_type":"CrossEncoder","prompts":{"ask":"answer this: ","short":"? "},"default_prompt_name":"ask"}`,
		"sentence_bert_config.json":         `{"transformer_task":"sequence-classification","processing_kwargs":{"text":{"max_length":32,"truncation":"only_second"}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// score, rank and tokenize put the model's default prompt before queries, or the one that
// is asked for, each as if it were the query's own beginning.
func TestPromptFlags(t *testing.T) {
	dir := prompted(t)
	for _, c := range []struct {
		flags  []string
		prompt string
	}{
		{nil, "answer this: "},
		{[]string{"--prompt-name", "short"}, "? "},
		{[]string{"--prompt", "Q: "}, "Q: "},
		{[]string{"--prompt", ""}, ""},
	} {
		for _, command := range []string{"score", "tokenize"} {
			got := ok(t, pairLine(t, "what is a cell", "the unit of life"), append([]string{command, "--model", dir}, c.flags...)...)
			want := ok(t, pairLine(t, c.prompt+"what is a cell", "the unit of life"), command, "--model", dir, "--prompt", "")
			if got != want {
				t.Errorf("%s %q: %s, want %s", command, c.flags, got, want)
			}
		}
		got := ok(t, "the unit of life\na room\n", append([]string{"rank", "what is a cell", "--model", dir}, c.flags...)...)
		want := ok(t, "the unit of life\na room\n", "rank", c.prompt+"what is a cell", "--model", dir, "--prompt", "")
		if got != want {
			t.Errorf("rank %q: %s, want %s", c.flags, got, want)
		}
	}
}

// A prompt that there is none of is said at once, with those that there are, and info has
// them all.
func TestPromptsOfAModel(t *testing.T) {
	dir := prompted(t)
	for _, args := range [][]string{{"score"}, {"tokenize"}, {"rank", "q"}} {
		args = append(args, "--model", dir)
		o := call(t, pairLine(t, "a", "b"), append(args, "--prompt-name", "nobody")...)
		if o.want(t, failed, `no prompt "nobody": the checkpoint has "ask", "short"`); o.stdout != "" {
			t.Errorf("%s: %s", args[0], o.stdout)
		}
		call(t, "", append(args, "--prompt-name", "ask", "--prompt", "x")...).want(t, usage, "--prompt and --prompt-name: want either")
	}
	out := ok(t, "", "info", "--model", dir, "--device", "reference")
	for _, want := range []string{`"ask": "answer this: ", the default, before every query`, `"short": "? ", for --prompt-name`,
		"32 tokens, sentence_bert_config.json: processing_kwargs: text: max_length", "longer pairs: only_second"} {
		if !strings.Contains(out, want) {
			t.Errorf("info lacks %q:\n%s", want, out)
		}
	}
}

// A pair that is not to be cut is an error of its line, and of no other.
func TestPairThatIsNotCut(t *testing.T) {
	dir, long := prompted(t), strings.Repeat("cell ", 40)
	for _, command := range []string{"score", "tokenize"} {
		o := call(t, pairLine(t, "a", "b")+pairLine(t, long, "b")+pairLine(t, "a", long), command, "--model", dir)
		o.want(t, failed, "1 of 3 lines are in error")
		if got := lines(o.stdout); len(got) != 3 || strings.Contains(got[0], "error") || !strings.Contains(got[1], "pair too long: only_second cuts the passage alone") || strings.Contains(got[2], "error") {
			t.Errorf("%s: %q", command, got)
		}
	}
	o := call(t, "a\nb\n", "rank", long, "--model", dir)
	o.want(t, failed, "line 1: pair too long: only_second", "2 of 2 lines have no score")
}
