package tokenizer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"testing"
	"unicode/utf8"
)

// library is a Python process that answers for Hugging Face's Rust library.
type library struct {
	in  io.Writer
	out *bufio.Reader
}

func startLibrary(t *testing.T, python string) *library {
	t.Helper()
	cmd := exec.Command(python, "../../testdata/tokenizer/oracle.py", libraryVersion)
	var said bytes.Buffer // its panics, mostly, which are counted elsewhere
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the library's process: %v\n%.2000s", err, &said)
		}
	})
	return &library{in, bufio.NewReaderSize(out, 1<<16)}
}

// ask returns a reading for each pair of a batch, in order. JSON carries bytes that
// are not UTF-8 as U+FFFD, each: what they count as here.
func (l *library) ask(b batch) ([]reading, error) {
	question, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	if _, err := l.in.Write(append(question, '\n')); err != nil {
		return nil, err
	}
	answer, err := l.out.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	if answer[0] == '{' {
		return nil, fmt.Errorf("the library refuses it: %s", answer)
	}
	var all []reading
	return all, json.Unmarshal(answer, &all)
}

// smallest takes code points away from a pair that is read differently, as long as
// it still is, and returns a line for testdata/tokenizer/found.jsonl.
func smallest(t *testing.T, l *library, file string, tok *Tokenizer, g group, pair [2]string) string {
	differs := func(pair [2]string) (reading, bool) {
		want, err := l.ask(batch{file, []group{{g.Max, g.Left, g.Strategy, [][2]string{pair}}}})
		if err != nil {
			t.Fatal(err)
		}
		return want[0], !want[0].panicked() && !want[0].equal(ours(tok, pair[0], pair[1]), tok)
	}
	want, ok := differs(pair)
	if !ok {
		return fmt.Sprintf("only beside other pairs: %q", pair)
	}
	for size := 64; size > 0; size /= 2 {
		for side := range pair {
			for at := 0; at < len(pair[side]); {
				less, text := pair, pair[side]
				end := at
				for range size {
					_, n := utf8.DecodeRuneInString(text[end:])
					end += n
				}
				less[side] = text[:at] + text[end:]
				if smaller, ok := differs(less); ok {
					pair, want = less, smaller
					continue
				}
				_, n := utf8.DecodeRuneInString(text[at:])
				at += n
			}
		}
	}
	got := ours(tok, pair[0], pair[1])
	line, err := json.Marshal(map[string]any{"tokenizer": json.RawMessage(file), "max": g.Max, "left": g.Left, "strategy": g.Strategy, "query": pair[0], "passage": pair[1],
		"ids": want.ids, "types": want.types, "offsets": want.offsets})
	if err != nil {
		t.Fatal(err)
	}
	var tokens []string
	for _, id := range got.ids {
		tokens = append(tokens, tok.Token(int32(id)))
	}
	return fmt.Sprintf("%+q\n got %v\nwant %v\ntokens %q\n%s", pair, got, want, tokens, line)
}
