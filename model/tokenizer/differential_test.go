package tokenizer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// libraryVersion is the version of the Python package tokenizers that the
// differential test asks. (unicode_tables.go was learned from 0.23.2, which has the
// same Unicode data: unicode.json says so of each code point.)
const libraryVersion = "0.23.3"

// batch is what the library is asked at once: many pairs for one tokenizer.json.
type batch struct {
	Tokenizer string  `json:"tokenizer"`
	Groups    []group `json:"groups"`
}

// group has the pairs that are cut alike.
type group struct {
	Max   int         `json:"max"`
	Left  bool        `json:"left"`
	Pairs [][2]string `json:"pairs"`
}

// reading is one pair's ids, types and offsets; offsets are start, end, start, ...
// in code points.
type reading struct{ ids, types, offsets []int }

func (r *reading) UnmarshalJSON(data []byte) error {
	if string(data) == "null" { // the library panicked
		return nil
	}
	return json.Unmarshal(data, &[]any{&r.ids, &r.types, &r.offsets})
}

func (r reading) equal(other reading) bool {
	return slices.Equal(r.ids, other.ids) && slices.Equal(r.types, other.types) && slices.Equal(r.offsets, other.offsets)
}

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

// ours is what this package makes of a pair. Where Encode and AppendPair differ it
// is nothing, which no pair is.
func ours(t *Tokenizer, query, passage string) reading {
	e, encodeErr := t.Encode(query, passage)
	var r reading
	ids, types, err := t.AppendPair(nil, nil, query, passage)
	if (err == nil) != (encodeErr == nil) || !slices.Equal(ids, e.IDs) || !slices.Equal(types, e.Types) {
		return r
	}
	zeros := slices.Index(e.Types, 1)
	for i, span := range e.Offsets {
		text := query
		if i >= zeros {
			text = passage
		}
		from := utf8.RuneCountInString(text[:span.Start])
		r.offsets = append(r.offsets, from, from+utf8.RuneCountInString(text[span.Start:span.End]))
		r.ids, r.types = append(r.ids, int(e.IDs[i])), append(r.types, int(e.Types[i]))
	}
	return r
}

// TestAgainstLibrary compares random texts under random configurations with what
// the library itself makes of them, ids, types and offsets. It runs where
// MINILM_TOKENIZERS names a Python that has the package; MINILM_TOKENIZERS_BATCHES
// says for how many configurations, of 512 pairs each, and MINILM_TOKENIZERS_SEED
// from which seed (1 if it is not there).
func TestAgainstLibrary(t *testing.T) {
	python := os.Getenv("MINILM_TOKENIZERS")
	if python == "" {
		t.Skip("MINILM_TOKENIZERS is not set: no library to compare with")
	}
	number := func(name string, otherwise uint64) uint64 {
		text := os.Getenv(name)
		if text == "" {
			return otherwise
		}
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	batches, seed := number("MINILM_TOKENIZERS_BATCHES", 100), number("MINILM_TOKENIZERS_SEED", 1)
	var next, pairs, cut, panics atomic.Uint64
	t.Run("", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				l := startLibrary(t, python)
				for n := next.Add(1); n <= batches && !t.Failed(); n = next.Add(1) {
					compareBatch(t, l, newGrammar(seed, n), fmt.Sprintf("seed %d, batch %d", seed, n), &pairs, &cut, &panics)
				}
			})
		}
	})
	t.Logf("%d pairs compared under %d configurations, %d of them cut; %d more make the library panic", pairs.Load(), batches, cut.Load(), panics.Load())
	if !t.Failed() && (pairs.Load()+panics.Load() != 512*batches || panics.Load() > pairs.Load()/100 || cut.Load() < pairs.Load()/20) {
		t.Errorf("%d pairs, want 512 for each of %d configurations, and more than %d that are cut", pairs.Load(), batches, cut.Load())
	}
}

// compareBatch compares the 512 pairs of a configuration.
func compareBatch(t *testing.T, l *library, g *grammar, name string, pairs, cut, panics *atomic.Uint64) {
	c := g.config()
	var b batch
	var texts []string
	for range 8 {
		group := group{Max: pick(g, []int{512, 511, 64, 3, 4, 5, 6, 7, 8, 9, 12, 16, 21, 32}), Left: g.flip()}
		for range 64 {
			long := 1
			// What is cut off the library keeps, each piece of one text with each of
			// the other: long texts in short pieces would take gigabytes.
			if group.Max > 500 && g.IntN(20) == 0 {
				long = 40
			}
			pair := [2]string{g.text(c, 6*long), g.text(c, 12*long)}
			group.Pairs = append(group.Pairs, pair)
			texts = append(texts, pair[0], pair[1])
		}
		b.Groups = append(b.Groups, group)
	}
	b.Tokenizer = string(g.finish(c, texts))
	tok, err := LoadFS(fstest.MapFS{jsonFile: {Data: []byte(b.Tokenizer)}})
	if err != nil {
		t.Fatalf("%s: %v\n%.3000s", name, err, b.Tokenizer)
	}
	want, err := l.ask(b)
	if err != nil || len(want) != len(texts)/2 {
		t.Fatalf("%s: %d answers, %v\n%.3000s", name, len(want), err, b.Tokenizer)
	}
	for _, group := range b.Groups {
		tok := cutting(t, tok, group)
		for _, pair := range group.Pairs {
			got := ours(tok, pair[0], pair[1])
			if want[0].ids == nil {
				want = want[1:]
				panics.Add(1)
				continue
			}
			if !got.equal(want[0]) {
				t.Errorf("%s:\n%s", name, smallest(t, l, b.Tokenizer, tok, group, pair))
				return
			}
			if want = want[1:]; len(got.ids) == group.Max {
				cut.Add(1)
			}
			pairs.Add(1)
		}
	}
}

func cutting(t *testing.T, tok *Tokenizer, g group) *Tokenizer {
	t.Helper()
	side := TruncateRight
	if g.Left {
		side = TruncateLeft
	}
	tok, err := tok.Truncating(Truncation{MaxLength: g.Max, Side: side})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// smallest takes code points away from a pair that is read differently, as long as
// it still is, and returns a line for testdata/tokenizer/found.jsonl.
func smallest(t *testing.T, l *library, file string, tok *Tokenizer, g group, pair [2]string) string {
	differs := func(pair [2]string) (reading, bool) {
		want, err := l.ask(batch{file, []group{{g.Max, g.Left, [][2]string{pair}}}})
		if err != nil {
			t.Fatal(err)
		}
		return want[0], want[0].ids != nil && !want[0].equal(ours(tok, pair[0], pair[1]))
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
	line, err := json.Marshal(map[string]any{"tokenizer": json.RawMessage(file), "max": g.Max, "left": g.Left, "query": pair[0], "passage": pair[1],
		"ids": want.ids, "types": want.types, "offsets": want.offsets})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+q\n got %d %d\nwant %d %d\ntokens %q\n%s", pair, got.ids, got.offsets, want.ids, want.offsets, encode(t, tok, pair[0], pair[1]).Tokens, line)
}
