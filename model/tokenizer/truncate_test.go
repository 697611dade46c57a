package tokenizer

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/model/memorytest"
)

var record = flag.Bool("record", false, "have the library answer the vectors in testdata/tokenizer/batches.jsonl.gz anew")

const batchesPath = "../../testdata/tokenizer/batches.jsonl.gz"

// words returns a text of n tokens, in words of one to four tokens each: those that are
// left when a word reaches a limit tell whether that was counted rightly.
func (g *grammar) words(n int) string {
	var b strings.Builder
	for n > 0 {
		word := pick(g, []string{"a", "b", "c", "d", "ab", "ba", "abc", "abab", "!", "[SEP]"})
		tokens := len(word)
		if word == "[SEP]" {
			tokens = 1
		}
		if tokens <= n {
			b.WriteString(word + " ")
			n -= tokens
		}
	}
	return b.String()
}

// wordsFile is a tokenizer.json for those.
const wordsFile = `{"version": "1.0", "added_tokens": [
	{"id": 1, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
	{"id": 2, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
	"normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
	"pre_tokenizer": {"type": "BertPreTokenizer"},
	"post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
	"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
		"vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "b": 4, "c": 5, "d": 6, "##a": 7, "##b": 8, "##c": 9, "!": 10}}}`

// allLengths makes all pairs of 0 to twice the maximum length tokens a text, for every
// strategy and side.
func allLengths(g *grammar, most int) batch {
	b := batch{Tokenizer: wordsFile}
	for _, strategy := range strategies {
		for _, left := range []bool{false, true} {
			group := group{Max: most, Left: left, Strategy: strategy}
			for n1 := range 2*most + 1 {
				for n2 := range 2*most + 1 {
					group.Pairs = append(group.Pairs, [2]string{g.words(n1), g.words(n2)})
				}
			}
			b.Groups = append(b.Groups, group)
		}
	}
	return b
}

// randomLengths makes so many pairs about random maximum lengths.
func randomLengths(g *grammar, groups, pairs int) batch {
	b := batch{Tokenizer: wordsFile}
	for range groups {
		group := group{Max: 3 + g.IntN(78), Left: g.flip(), Strategy: pick(g, strategies[:])}
		for range pairs {
			length := func() string {
				return g.words(max(0, pick(g, []int{0, group.Max / 2, group.Max - 3, group.Max, 2 * group.Max})+g.IntN(9)-4))
			}
			group.Pairs = append(group.Pairs, [2]string{length(), length()})
		}
		b.Groups = append(b.Groups, group)
	}
	return b
}

// TestTruncationAgainstLibrary compares what is kept of pairs, of all lengths about small
// maximum lengths and of random ones, with what the library keeps. It runs where
// TestAgainstLibrary does; MINILM_TOKENIZERS_TRUNCATED says of how many batches of 1000
// random pairs.
func TestTruncationAgainstLibrary(t *testing.T) {
	const small = 10 // maximum lengths, from 3
	batches := small + setting(t, "MINILM_TOKENIZERS_TRUNCATED", 20)
	c := againstLibrary(t, batches, func(seed, n uint64) batch {
		if n <= small {
			return allLengths(newGrammar(seed, n), specials+int(n)-1)
		}
		return randomLengths(newGrammar(seed, n), 10, 100)
	})
	if !t.Failed() && (c.panics > 0 || c.cut < c.pairs/5 || c.tooLong < c.pairs/10) {
		t.Errorf("%+v: want no panics, or more that are cut or cannot be", c)
	}
}

// answered is a batch and what the library makes of it.
type answered struct {
	Batch    batch     `json:"batch"`
	Readings []reading `json:"readings"`
}

// TestBatches holds this package to what the library once said of batches like those of
// the tests against it: all pairs of small lengths, random lengths, and random
// configurations. With -record the library answers again, as in .ci/run.
func TestBatches(t *testing.T) {
	if *record {
		recordBatches(t)
	}
	f, err := os.Open(batchesPath)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	var all counts
	batches := 0
	for ; lines.Scan(); batches++ {
		var a answered
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatalf("line %d: %v", batches+1, err)
		}
		all.add(compareBatch(t, batchesPath, a.Batch, a.Readings, nil))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if batches < 60 || all.pairs < 10000 || all.cut < all.pairs/5 || all.tooLong < all.pairs/10 {
		t.Errorf("%d batches, %+v: want more", batches, all)
	}
}

// recordBatches writes the vectors.
func recordBatches(t *testing.T) {
	python := os.Getenv("MINILM_TOKENIZERS")
	if python == "" {
		t.Fatal("-record asks the library: MINILM_TOKENIZERS must name a Python that has it")
	}
	l := startLibrary(t, python)
	f, err := os.Create(batchesPath)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	out := json.NewEncoder(z)
	out.SetEscapeHTML(false)
	var batches []batch
	for most := specials; most <= 8; most++ {
		batches = append(batches, allLengths(newGrammar(3, uint64(most)), most))
	}
	for n := range uint64(4) {
		batches = append(batches, randomLengths(newGrammar(4, n), 10, 50))
	}
	for n := range uint64(60) {
		batches = append(batches, newGrammar(5, n).batch(4, 8))
	}
	for _, b := range batches {
		readings, err := l.ask(b)
		if err == nil {
			err = out.Encode(answered{b, readings})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// A text that is not cut is read no further than tells that it is too long, and one whose
// end is cut no further than is kept.
func TestStrategiesStopEarly(t *testing.T) {
	tok, err := LoadFS(fstest.MapFS{jsonFile: {Data: []byte(wordsFile)}})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("abab ", 1000)
	for _, c := range []struct {
		Truncation
		query, passage string
		most           int // tokens in memory
	}{
		{Truncation{17, TruncateRight, LongestFirst}, long, long, 8 * 16}, // nobody gets an odd token
		{Truncation{16, TruncateRight, LongestFirst}, long[:60], long, 8 * 16},
		{Truncation{16, TruncateRight, LongestFirst}, long, long[:60], 8 * 16},
		{Truncation{16, TruncateRight, OnlyFirst}, long, "a", 8 * 16},
		{Truncation{16, TruncateRight, OnlySecond}, "a", long, 8 * 16},
		{Truncation{16, TruncateRight, DoNotTruncate}, long, long, 8 * 16},
		{Truncation{16, TruncateLeft, OnlySecond}, long, "a", 8 * 16},
		{Truncation{16, TruncateLeft, OnlyFirst}, "a", long, 8 * 16},
		{Truncation{16, TruncateLeft, DoNotTruncate}, long, long, 8 * 16},
	} {
		tok, err := tok.Truncating(c.Truncation)
		if err != nil {
			t.Fatal(err)
		}
		ids := make([]int32, 0, c.most) // enough, so that none is allocated
		types := make([]int32, 0, c.most)
		kept, _, err := tok.AppendPair(ids, types, c.query, c.passage)
		if cap(kept) != c.most || err != nil && !errors.Is(err, ErrTooLong) {
			t.Errorf("%v: room for %d tokens, %v", c.Truncation, cap(kept), err)
		}
		if memorytest.RaceDetector {
			continue // it makes pools forget what they hold
		}
		if n := testing.AllocsPerRun(10, func() { _, _, _ = tok.AppendPair(ids, types, c.query, c.passage) }); n > 5 {
			t.Errorf("%v: %v allocations", c.Truncation, n)
		}
	}
}

// What cannot be cut is an error that says why, and leaves what was there.
func TestTooLong(t *testing.T) {
	tok, err := LoadFS(fstest.MapFS{jsonFile: {Data: []byte(wordsFile)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		strategy       Strategy
		query, passage string
		want           string // "" where it is cut
	}{
		{OnlySecond, "a b", "a b", ""},
		{OnlySecond, "a b c", "", ""},
		{OnlySecond, "a b c", "a", "only_second cuts the passage alone, and the query leaves no room for it in 6 tokens"},
		{OnlyFirst, "a", "a b c", "only_first cuts the query alone, and the passage leaves no room for it in 6 tokens"},
		{DoNotTruncate, "a b", "a", ""},
		{DoNotTruncate, "a b", "a b", "more than 6 tokens, and do_not_truncate keeps them all"},
	} {
		tok, err := tok.Truncating(Truncation{6, TruncateRight, c.strategy})
		if err != nil {
			t.Fatal(err)
		}
		ids, types, err := tok.AppendPair([]int32{7}, []int32{8}, c.query, c.passage)
		e, encodeErr := tok.Encode(c.query, c.passage)
		if c.want == "" {
			if err != nil || encodeErr != nil || len(ids) != len(types) || !slices.Equal(e.IDs, ids[1:]) {
				t.Errorf("%v, %q, %q: %v %v, %v, %v", c.strategy, c.query, c.passage, ids, types, err, encodeErr)
			}
			continue
		}
		if want := "tokenizer: pair too long: " + c.want; !errors.Is(err, ErrTooLong) || err.Error() != want || encodeErr == nil || encodeErr.Error() != want {
			t.Errorf("%v, %q, %q: %v and %v, want %s", c.strategy, c.query, c.passage, err, encodeErr, want)
		}
		if !slices.Equal(ids, []int32{7}) || !slices.Equal(types, []int32{8}) {
			t.Errorf("%v: %d, %d are left", c.strategy, ids, types)
		}
	}
	if _, err := tok.Truncating(Truncation{MaxLength: 6, Strategy: 4}); err == nil || !strings.Contains(err.Error(), "strategy Strategy(4)") {
		t.Errorf("strategy 4: %v", err)
	}
}

func TestParseStrategy(t *testing.T) {
	for i, name := range []string{"longest_first", "only_first", "only_second", "do_not_truncate"} {
		if s, err := ParseStrategy(name); err != nil || s != Strategy(i) || s.String() != name {
			t.Errorf("%q: %v, %v", name, s, err)
		}
	}
	for _, name := range []string{"", "LongestFirst", "longest", "true"} {
		if _, err := ParseStrategy(name); err == nil || !strings.Contains(err.Error(), "want longest_first") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
