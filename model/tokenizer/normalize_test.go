package tokenizer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/model/memorytest"
)

// textOf is what steps make of a text.
func textOf(t testing.TB, steps []step, text string) string {
	t.Helper()
	n, err := normalized(steps, text, 0, len(text), false)
	if err != nil {
		t.Fatal(err)
	}
	return string(n.text)
}

// codeBlock is 256 code points and a text with them.
type codeBlock struct {
	codes []rune
	text  string
}

// codeBlocks are all code points, in texts to which write adds each.
func codeBlocks(write func(b *strings.Builder, c rune)) (all []codeBlock) {
	for first := rune(0); first <= utf8.MaxRune; first += 256 {
		if !utf8.ValidRune(first) {
			continue
		}
		var b strings.Builder
		var codes []rune
		for c := first; c < first+256; c++ {
			codes = append(codes, c)
			write(&b, c)
		}
		all = append(all, codeBlock{codes, b.String()})
	}
	return all
}

// TestEveryCodePointNormalized compares what each normalizer makes of every code point,
// alone and beside others that it may meet, and what each class of a pattern has, with the
// library's, by the digests that testdata/tokenizer/normalizers.py writes.
func TestEveryCodePointNormalized(t *testing.T) {
	if memorytest.RaceDetector || testing.Short() {
		t.Skip("seconds long, and the race detector has nothing to find in it")
	}
	data, err := os.ReadFile("../../testdata/tokenizer/normalizers.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ SHA256 map[string]string }
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if len(want.SHA256) != 10 {
		t.Fatalf("%d digests, want 10", len(want.SHA256))
	}
	blocks := codeBlocks(func(b *strings.Builder, c rune) {
		const mark = "\U0010fffe" // nothing changes it, and it meets nothing
		nfd := string(c)
		if parts, ok := lookup(decompositions, c); ok || hangulFirst <= c && c <= hangulLast {
			if nfd = parts; !ok {
				nfd = textOf(t, []step{form{}}, string(c))
			}
		}
		fmt.Fprint(b, string(c), mark, "a", string(c), "\u0301", mark, string(c), "\u0301\u0323", mark, nfd, mark)
	})
	for name, digest := range want.SHA256 {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hash := sha256.New()
			if name[0] == '\\' {
				found, err := onigRegexp(name)
				if err != nil {
					t.Fatal(err)
				}
				for c := rune(0); c <= utf8.MaxRune; c++ {
					if utf8.ValidRune(c) && found.MatchString(string(c)) {
						hash.Write([]byte(string(c)))
					}
				}
			} else {
				steps := stepsOf(map[string]any{"type": name, "strip_left": true, "strip_right": true})
				add := func(text string) { hash.Write([]byte(textOf(t, steps, text) + "\n")) }
				for _, block := range blocks {
					text := block.text
					if name == "Strip" { // which sees the ends alone
						for _, c := range block.codes {
							text = string(c) + "a" + string(c)
							add(text)
						}
					}
					add(text)
				}
			}
			if got := hex.EncodeToString(hash.Sum(nil)); got != digest {
				t.Errorf("SHA-256 %s, want %s: make unicode_normal.go and normalizers.json again, with the same version of the library", got, digest)
			}
		})
	}
}

// What is left out or put together, is so for every code point.
func TestFused(t *testing.T) {
	if memorytest.RaceDetector || testing.Short() {
		t.Skip("seconds long, and the race detector has nothing to find in it")
	}
	bert := func(clean, chinese, strip, lower bool) map[string]any {
		return map[string]any{"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": strip, "lowercase": lower}
	}
	lower := map[string]any{"type": "Lowercase"}
	blocks := codeBlocks(func(b *strings.Builder, c rune) { b.WriteRune(c) })
	seq := func(all ...any) map[string]any {
		if all == nil {
			all = []any{}
		}
		return map[string]any{"type": "Sequence", "normalizers": all}
	}
	for bits := range 8 {
		clean, chinese, other := bits&1 != 0, bits&2 != 0, bits&4 != 0
		for _, c := range []struct{ first, second map[string]any }{
			{lower, bert(clean, chinese, false, other)},
			{bert(clean, chinese, other, true), lower},
		} {
			fused, first, second := stepsOf(seq(seq(c.first), c.second)), stepsOf(c.first), stepsOf(c.second)
			if len(fused) != 1 {
				t.Errorf("%v and %v are %d steps", c.first, c.second, len(fused))
			}
			for _, block := range blocks {
				one := textOf(t, fused, block.text)
				if both := textOf(t, append(first, second...), block.text); one != both {
					t.Fatalf("%v and %v: %U and what follows become %q together, %q one after the other", c.first, c.second, block.codes[0], one, both)
				}
			}
		}
	}
	for _, c := range []struct {
		raw  map[string]any
		want rules
	}{
		{nil, rules{}}, {seq(), rules{}}, {seq(seq(), seq(lower)), rules{lower: true}}, {seq(bert(false, false, false, false)), rules{}},
		{seq(lower, lower), rules{lower: true}}, {seq(lower, bert(true, true, false, false), lower), rules{clean: true, chinese: true, lower: true}},
	} {
		if steps := stepsOf(c.raw); len(steps) != 1 || steps[0].(*charTable).rules != c.want {
			t.Errorf("%v: steps %v, want %+v", c.raw, steps, c.want)
		}
	}
	if steps := stepsOf(seq(lower, bert(true, true, true, false))); len(steps) != 2 {
		t.Errorf("lower case before accents are stripped: %v", steps)
	}
}

// The offsets of what a normalizer moved are those of the part of the text that it is of.
func TestOffsetsOfNormalized(t *testing.T) {
	tok := withNormalizer(t, `{"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": "[0-9]+"}, "content": " a b "}, {"type": "Prepend", "prepend": "b "}]}`)
	e := encode(t, tok, "a ﬁa 12é \xff", "")
	want := []Span{{0, 0}, {0, 1}, {0, 1}, {2, 6}, {7, 9}, {7, 9}, {9, 11}, {12, 13}, {0, 0}, {0, 0}}
	if fmt.Sprint(e.Offsets) != fmt.Sprint(want) || strings.Join(e.Tokens, " ") != "[CLS] b a [UNK] a b é [UNK] [SEP] [SEP]" {
		t.Errorf("%q %v, want %v", e.Tokens, e.Offsets, want)
	}
}

// withNormalizer is the tiny tokenizer with a normalizer, or what it is an error of.
func withNormalizer(t testing.TB, normalizer string) *Tokenizer {
	t.Helper()
	tok, err := LoadFS(fstest.MapFS{jsonFile: {Data: []byte(tinyJSON(t, [2]string{"normalizer", normalizer}))}})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// Texts that a file makes grow out of proportion are errors of their pairs.
func TestNormalizedTooLong(t *testing.T) {
	double := `{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"},`
	tok := withNormalizer(t, `{"type": "Sequence", "normalizers": [`+strings.Repeat(double, 40)+`{"type": "NFC"}]}`)
	text := strings.Repeat("a ", 1000)
	if _, _, err := tok.AppendPair(nil, nil, "b", text); !errors.Is(err, ErrTooLong) || !strings.Contains(err.Error(), "normalized, the 2000 bytes of a text are more than 193536") {
		t.Errorf("AppendPair: %v", err)
	}
	if _, err := tok.Encode(text, "b"); !errors.Is(err, ErrTooLong) {
		t.Errorf("Encode: %v", err)
	}
	if n := tok.PairLength(text, "b"); n != NoLimit {
		t.Errorf("PairLength: %d", n)
	}
	if ids, _ := appendPair(t, tok, nil, nil, "b", "b"); len(ids) != 5 {
		t.Errorf("another pair: %d", ids)
	}
}

// A Replace by a pattern takes no memory for each place that it finds.
func TestReplaceMany(t *testing.T) {
	steps := stepsOf(map[string]any{"type": "Replace", "pattern": map[string]any{"Regex": `\s`}, "content": "_"})
	text := strings.Repeat(" ", 100_000)
	if got := textOf(t, steps, text); got != strings.Repeat("_", len(text)) {
		t.Errorf("%.40q, %d bytes", got, len(got))
	}
	if memorytest.RaceDetector {
		return // which allocates for itself
	}
	if n := testing.AllocsPerRun(1, func() { textOf(t, steps, text) }); n > 200 {
		t.Errorf("%v allocations", n)
	}
}
