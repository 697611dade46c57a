package tokenizer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

func ExampleTokenizer_Encode() {
	vocab := []string{"[UNK]", "[CLS]", "[SEP]", "how", "tall", "is", "it", "?", "8", "##8", "##48", "m"}
	tok, err := New(vocab, Uncased())
	if err != nil {
		panic(err)
	}
	e, err := tok.Encode("How tall is it?", "8848 m")
	if err != nil {
		panic(err)
	}
	fmt.Println(e.Tokens)
	fmt.Println(e.IDs)
	fmt.Println(e.Types)
	fmt.Println(e.Offsets)
	// Output:
	// [[CLS] how tall is it ? [SEP] 8 ##8 ##48 m [SEP]]
	// [1 3 4 5 6 7 2 8 9 10 11 2]
	// [0 0 0 0 0 0 0 1 1 1 1 1]
	// [{0 0} {0 3} {4 8} {9 11} {12 14} {14 15} {0 0} {0 1} {1 2} {2 4} {5 6} {0 0}]
}

func TestNewRefuses(t *testing.T) {
	good := strings.Fields(tinyVocab)
	for _, test := range []struct {
		vocab []string
		o     Options
		want  string
	}{
		{nil, Options{}, "tokenizer: vocabulary of 0 tokens has no [UNK]"},
		{append(good, "a"), Options{}, `tokenizer: vocabulary: ids 5 and 9 are both "a"`},
		{append(good, ""), Options{}, "tokenizer: vocabulary: id 9 is empty"},
		{append(good, "a\xff"), Options{}, `tokenizer: vocabulary: id 9, "a\xff", is not UTF-8`},
		{good, Options{Class: "<s>"}, "tokenizer: vocabulary of 9 tokens has no <s>"},
		{good, Options{MaxWordChars: -1}, "tokenizer: MaxWordChars -1, want 1 to 65536"},
		{good, Options{MaxWordChars: 1 << 40}, "tokenizer: MaxWordChars 1099511627776, want 1 to 65536"},
		{good, Options{Truncation: Truncation{MaxLength: 1}}, "tokenizer: maximum length 1, want at least 2 for the special tokens"},
		{good, Options{Truncation: Truncation{Side: 2}}, "tokenizer: truncation side 2, want TruncateRight or TruncateLeft"},
		{good, Options{Added: []AddedToken{{Content: "x"}, {Content: "x"}}}, `tokenizer: added token "x" is there twice`},
		{good, Options{Added: []AddedToken{{Content: "\xff"}}}, `tokenizer: added token "\xff": want some UTF-8 text`},
	} {
		if tok, err := New(test.vocab, test.o); err == nil || err.Error() != test.want || tok != nil {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
}

// TestAppends checks that AppendPair keeps what is there, at every length and
// side, and that its results do not depend on it.
func TestAppends(t *testing.T) {
	tok := uncased(t)
	query, passage := "a unspeakable question of length", "many [SEP] unforgettable words, and then some more; \u0301"
	for _, side := range []Side{TruncateRight, TruncateLeft} {
		for n := 3; n < 30; n++ {
			cut, err := tok.Truncating(Truncation{MaxLength: n, Side: side})
			if err != nil {
				t.Fatal(err)
			}
			ids, types := appendPair(t, cut, nil, nil, query, passage)
			ids2, types2 := appendPair(t, cut, slices.Clone(ids), slices.Clone(types), query, passage)
			if want := slices.Concat(ids, ids); !slices.Equal(ids2, want) {
				t.Errorf("length %d: %d, want %d", n, ids2, want)
			}
			if want := slices.Concat(types, types); !slices.Equal(types2, want) {
				t.Errorf("length %d: types %d, want %d", n, types2, want)
			}
		}
	}
}

// TestInvalidUTF8 checks that a byte that is not UTF-8 counts as U+FFFD.
func TestInvalidUTF8(t *testing.T) {
	clean := tiny(t, Uncased())
	raw := tiny(t, Options{}, "\uFFFD", "##\uFFFD")
	for _, text := range []string{"a\xffb", "\xff", "\xc3", "a \xe4\xb8", "\xed\xa0\x80b", "\xf8\x88\x80\x80\x80", "\xff[SEP]\xfe", "e\xcc", "\xcca"} {
		replaced := string([]rune(text))
		for _, tok := range []*Tokenizer{clean, raw} {
			got, want := encode(t, tok, text, text), encode(t, tok, replaced, replaced)
			if !slices.Equal(got.IDs, want.IDs) {
				t.Errorf("%q: %d, want %d", text, got.IDs, want.IDs)
			}
		}
	}
	if e := encode(t, clean, "\xff\xfe", "\x00\xff"); !slices.Equal(e.IDs, []int32{2, 3, 3}) {
		t.Errorf("only bytes that are dropped: %d", e.IDs)
	}
}

func TestEmpty(t *testing.T) {
	tok := tiny(t, Uncased())
	for _, test := range []struct {
		query, passage string
		ids, types     []int32
	}{
		{"", "", []int32{2, 3, 3}, []int32{0, 0, 1}},
		{"a", "", []int32{2, 5, 3, 3}, []int32{0, 0, 0, 1}},
		{"", "a", []int32{2, 3, 5, 3}, []int32{0, 0, 1, 1}},
		{" \t", "\u0301", []int32{2, 3, 3}, []int32{0, 0, 1}},
	} {
		ids, types := appendPair(t, tok, nil, nil, test.query, test.passage)
		e := encode(t, tok, test.query, test.passage)
		if !slices.Equal(ids, test.ids) || !slices.Equal(types, test.types) || !slices.Equal(e.IDs, ids) || e.Truncated {
			t.Errorf("%q, %q: %d %d, want %d %d", test.query, test.passage, ids, types, test.ids, test.types)
		}
		if n := tok.PairLength(test.query, test.passage); n != len(test.ids) {
			t.Errorf("%q, %q: length %d", test.query, test.passage, n)
		}
	}
}

// TestSameNormalized checks which of several added tokens is found whose
// normalised texts are the same.
func TestSameNormalized(t *testing.T) {
	o := Uncased()
	o.Added = []AddedToken{{Content: "Xy", Normalized: true}, {Content: "xY", Normalized: true, Special: true}, {Content: "XY", Normalized: true, Special: true}}
	tok := tiny(t, o)
	if e := encode(t, tok, "a XYa", ""); !slices.Equal(e.Tokens, []string{"[CLS]", "a", "xY", "a", "[SEP]", "[SEP]"}) || e.Offsets[2] != (Span{2, 4}) {
		t.Errorf("%q %d", e.Tokens, e.Offsets)
	}
	if id, ok := tok.ID("XY"); !ok || id != 11 || tok.VocabSize() != 12 || tok.Token(11) != "XY" {
		t.Errorf("XY has id %d of %d", id, tok.VocabSize())
	}
}

// TestVocab checks ID and Token against the vocabulary.
func TestVocab(t *testing.T) {
	vocab := shippedVocab(t)
	tok := uncased(t)
	if tok.VocabSize() != len(vocab) {
		t.Errorf("%d ids, want %d", tok.VocabSize(), len(vocab))
	}
	for want, token := range vocab {
		if id, ok := tok.ID(token); !ok || int(id) != want || tok.Token(id) != token {
			t.Errorf("%q: id %d %t, want %d", token, id, ok, want)
		}
	}
	for _, token := range []string{"", "no such token", "##", "[unk]"} {
		if id, ok := tok.ID(token); ok {
			t.Errorf("%q has id %d", token, id)
		}
	}
	for _, id := range []int32{-1, int32(len(vocab)), 1<<31 - 1} {
		if token := tok.Token(id); token != "" {
			t.Errorf("id %d is %q", id, token)
		}
	}
}

// TestWordTable compares with a map, over strings that share bytes and hashes.
func TestWordTable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	want := map[string]int32{}
	var tokens []string
	for len(tokens) < 5000 {
		b := make([]byte, 1+random.IntN(20))
		for i := range b {
			b[i] = "ab\x00"[random.IntN(3)]
		}
		if _, ok := want[string(b)]; !ok {
			want[string(b)] = int32(len(tokens))
			tokens = append(tokens, string(b))
		}
	}
	table, _ := newWordTable(tokens, "")
	buf := make([]byte, 64)
	for range 50000 {
		for i := range buf {
			buf[i] = "ab\x00"[random.IntN(3)]
		}
		from := random.IntN(20)
		to := from + 1 + random.IntN(24)
		id, ok := want[string(buf[from:to])]
		if got := table.find(buf, from, to); ok && got != id || !ok && got != -1 {
			t.Fatalf("%q: id %d, want %d %t", buf[from:to], got, id, ok)
		}
		end := to
		for ; end > from; end-- {
			if id, ok = want[string(buf[from:end])]; ok {
				break
			}
		}
		if got, gotEnd := table.prefix(buf, from, to); ok && (got != id || gotEnd != end) || !ok && got != -1 {
			t.Fatalf("%q: prefix %d to %d, want %d to %d", buf[from:to], got, gotEnd, id, end)
		}
	}
}

// TestConcurrent encodes the same pairs from many goroutines; the race detector
// looks on.
func TestConcurrent(t *testing.T) {
	tok := uncased(t)
	texts := []string{"plain words of the vocabulary", "Ünïcödé and 中文 한국어", "[SEP] unforeseeably", strings.Repeat("long ", 600)}
	want := make([]Encoding, len(texts))
	for i, text := range texts {
		want[i] = encode(t, tok, text, text)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				for i, text := range texts {
					if ids, _, err := tok.AppendPair(nil, nil, text, text); err != nil || !slices.Equal(ids, want[i].IDs) {
						t.Errorf("%q: other ids from another goroutine", text)
					}
				}
			}
		})
	}
	all.Wait()
}

// TestAllocations checks that AppendPair allocates nothing where there is room.
func TestAllocations(t *testing.T) {
	tok := uncased(t)
	ids, types := make([]int32, 0, 4096), make([]int32, 0, 4096)
	for name, passage := range map[string]string{
		"English":    strings.Repeat("The quick brown fox, unbelievably, jumps over 13 lazy dogs. ", 20),
		"accents":    strings.Repeat("Überraschend fährt der Café-Besitzer naïvement. ", 20),
		"decomposed": strings.Repeat("e\u0301a\u0308\u0323 \u1b44\u0301\u302e ", 20),
		"CJK":        strings.Repeat("漢字仮名交じり文 한국어 ", 20),
		"emoji":      strings.Repeat("👩\u200d👩\u200d👧 🇩🇪 ", 20),
		"special":    strings.Repeat("[SEP] and [MASK] ", 20),
		"one word":   strings.Repeat("x", 10000),
	} {
		for _, side := range []Side{TruncateRight, TruncateLeft} {
			cut, err := tok.Truncating(Truncation{MaxLength: 64, Side: side})
			if err != nil {
				t.Fatal(err)
			}
			if n := testing.AllocsPerRun(20, func() { appendPair(t, cut, ids, types, passage, passage) }); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	}
}

// TestLongText checks that a word of a megabyte is one [UNK], with its span.
func TestLongText(t *testing.T) {
	tok := tiny(t, Uncased())
	for _, text := range []string{strings.Repeat("a", 1<<20), strings.Repeat("é", 1<<19), strings.Repeat("\u302e", 1<<18)} {
		e := encode(t, tok, "", " "+text+" ")
		if !slices.Equal(e.IDs, []int32{2, 3, 1, 3}) || e.Offsets[2] != (Span{1, 1 + len(text)}) {
			t.Errorf("%.4q...: %d %d", text, e.IDs, e.Offsets)
		}
	}
}

// TestManyAddedTokens checks that their number does not make loading or finding
// them slow: this would take minutes.
func TestManyAddedTokens(t *testing.T) {
	o := Uncased()
	for i := range 100_000 {
		o.Added = append(o.Added, AddedToken{Content: fmt.Sprintf("<%d>", i), Normalized: i%2 == 0})
	}
	tok := tiny(t, o)
	text := strings.Repeat("<77777><77778>", 1000)
	if ids, _ := appendPair(t, tok, nil, nil, "", text); !slices.Equal(ids[:4], []int32{2, 3, 9 + 77777, 9 + 77778}) || len(ids) != 512 {
		t.Errorf("%d: %d", len(ids), ids[:4])
	}
}
