package tokenizer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"
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
	if raceDetector || testing.Short() {
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
	if raceDetector || testing.Short() {
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

// Where tokenizer_config.json says what BertTokenizer of transformers 5 does, that is done.
func TestConfigOverrulesNormalizer(t *testing.T) {
	lowered := `{"type": "Sequence", "normalizers": [{"type": "Lowercase"}, {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": false}]}`
	for _, c := range []struct {
		normalizer, config string
		text               string // what becomes of "Éa"
		warning            string // "" where there is none
	}{
		{lowered, `{"tokenizer_class": "BertTokenizer", "do_lower_case": false}`, "Éa",
			"tokenizer.json normalizes by Lowercase, BertNormalizer, and tokenizer_config.json has do_lower_case false: that goes first, as in transformers 5; version 4 goes by tokenizer.json"},
		{lowered, `{"do_lower_case": false, "strip_accents": true}`, "Ea", "has do_lower_case false, strip_accents true: that goes first"},
		{lowered, `{"do_lower_case": true, "strip_accents": false}`, "éa", ""},
		{lowered, `{"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": false}`, "éa", ""},
		{lowered, `{"tokenizer_class": "BertTokenizer"}`, "éa", "so do we, but BertTokenizer of transformers 5 does not look there"},
		{`null`, `{"do_lower_case": true}`, "ea", "tokenizer.json normalizes by none, and"},
		{`{"type": "NFC"}`, `{}`, "Éa", "tokenizer.json normalizes by NFC: so do we"},
		{`{"type": "NFD"}`, `{"tokenizer_class": "TokenizersBackend"}`, "E\u0301a", ""},
	} {
		tok, err := LoadFS(fstest.MapFS{jsonFile: {Data: []byte(tinyJSON(t, [2]string{"normalizer", c.normalizer}))}, configFile: {Data: []byte(c.config)}})
		if err != nil {
			t.Errorf("%s: %v", c.config, err)
			continue
		}
		steps := tok.steps
		if steps == nil {
			steps = []step{tok.chars}
		}
		if got := textOf(t, steps, "Éa"); got != c.text {
			t.Errorf("%s, %s: %q, want %q", c.normalizer, c.config, got, c.text)
		}
		var about []string
		for _, w := range tok.Warnings() {
			if strings.Contains(w, "normalizes by") {
				about = append(about, w)
			}
		}
		if (c.warning == "") != (len(about) == 0) || !strings.Contains(strings.Join(about, ""), c.warning) {
			t.Errorf("%s: warnings %q, want %q", c.config, about, c.warning)
		}
	}
}

// Patterns that Go would not read as Oniguruma does are refused by what is in them.
func TestOnig(t *testing.T) {
	for pattern, want := range map[string]string{
		"": "finds empty texts", "a*": "finds empty texts", "a|": "finds empty texts", "^": "finds empty texts", `\A|b`: "finds empty texts",
		"(a*)+": `has "+" after what may be empty`, "a++": `has "++"`, "a**": `has "**"`, "a{2}{3}": `has "{2}{3}"`, "a{2}?": `has "{2}?"`, "a{,2}": `has "{,2}"`,
		"a{2,1}": `has "{2,1}"`, "a{x}": `has "{x}"`, "a{0}": `has "{0}"`, "a{+1}": `has "{+1}"`, "a{1": `has "{1"`, "{": `has "{" where`, "*": `has "*" where`, "a^b": `has "^" where`,
		"a$b": `has "$" where`, "(^a)": `has "^" where`, "(?=a)": `has "(?="`, "(?<!a)b": `has "(?<"`, "(?i)a": `has "(?i"`, "(a": "is not closed", "a)": "closes nothing",
		`\b`: `has "\\b"`, `\p{L}`: `has "\\p{"`, `\1`: `has "\\1"`, `\x41`: `has "\\x4"`, `\ud800`: `has "\\ud`, `\é`: `has "\\é"`, `\`: "ends in a backslash", `a\Zb`: `has "\\Zb"`,
		"[": `the class "["`, "[]": `the class "[]"`, "[]a]": `the class "[]a]"`, "[a[b]]": `the class "[a[b]]"`, "[a&&b]": `the class "[a&&b]"`, "[a-b-c]": `the class "[a-b-c]"`,
		"[c-a]": "no range", `[a-\s]`: "no range", `[\s\S]`: "", `[^\s\S]`: "of nothing", "[[:alpha:]]": "the class", `[\b]`: `has "\\b]"`, "[a": `the class "[a"`, "[a-": "not closed",
		strings.Repeat("a", 1025): "of 1025 bytes", strings.Repeat("(", 200): "parentheses in each other", "(a{100}){100}": "too large", strings.Repeat(`\w`, 100): "too large", "a{2000}": "too large",
	} {
		_, err := onigRegexp(pattern)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.40q: error %v, want %q", pattern, err, want)
		}
	}
	// What they find is compared with the library, in TestBatches too; these show what Go
	// would read otherwise.
	for pattern, want := range map[string]string{
		`\s+`: "a_b\u00a0_", `^b`: "", `a$`: "a", `[^\w\s]`: ".", `\d`: "٣", `[\s-]`: "\u2003", `a{1,2}?`: "a", `(a|ab)(c|bcd)`: "abcd", "[&~#]": "~", `\\\[`: `\[`, `\u4e2d`: "中", "}]": "}]", ".": "x",
	} {
		p, err := onigRegexp(pattern)
		if err != nil {
			t.Errorf("%q: %v", pattern, err)
			continue
		}
		if _, err := regexp.Compile(p.String()); err != nil || want != "" && p.FindString(want) == "" {
			t.Errorf("%q as %.80q: %v, finds %q in %q", pattern, p, err, p.FindString(want), want)
		}
	}
}

// FuzzNormalize checks what holds of any text that goes through any steps.
func FuzzNormalize(f *testing.F) {
	for i, text := range []string{"", "a e\u0323\u0301 é", "한국 \u1112\u1161\u11ab", "ﷺ½Å", "\u0301\u0323a", "x\xffy", "\u0958\u0915\u093c", "가\u11a8\u0323", "1,2 -- [b]"} {
		f.Add(text, `\s+|[^\w\s]`, "b", uint16(i*37))
		f.Add(text, `(a|\u0301)+?$`, " \u0301", uint16(i*101))
	}
	pairs := compositions()
	same := []step{form{}, form{compatible: true}, form{composes: pairs}, form{true, pairs}, stripAccents{}, strip{true, true},
		newCharTable(rules{true, true, true, true}), newCharTable(rules{lower: true})}
	f.Fuzz(func(t *testing.T, text, pattern, with string, chosen uint16) {
		if max(len(text), len(pattern), len(with)) > longestFuzzed || !utf8.ValidString(with) {
			return
		}
		all := append(slices.Clone(same), prepend(with))
		if p, err := onigRegexp(pattern); err == nil {
			if p.MatchString("") {
				t.Errorf("%q finds an empty text", pattern)
			}
			all = append(all, replace{pattern: p, with: with})
		}
		if pattern != "" {
			all = append(all, replace{text: []byte(strings.ToValidUTF8(pattern, "?")), with: with})
		}
		steps := []step{all[int(chosen)%len(all)], all[int(chosen>>4)%len(all)], all[int(chosen>>8)%len(all)]}
		whole, err := normalized(steps, text, 0, len(text), false)
		aligned, err2 := normalized(steps, text, 0, len(text), true)
		if err != nil || err2 != nil {
			if !errors.Is(err, ErrTooLong) || !errors.Is(err2, ErrTooLong) {
				t.Errorf("%v, %v", err, err2)
			}
			return
		}
		if string(whole.text) != string(aligned.text) || !utf8.Valid(whole.text) || len(aligned.spans) != len(aligned.text) {
			t.Fatalf("%q, and with %d spans %q", whole.text, len(aligned.spans), aligned.text)
		}
		checkOffsets(t, aligned.spans, text)
		// The forms are stable, and NFC and NFD of the same text.
		once := textOf(t, all[:1], text)
		composed := textOf(t, all[2:3], text)
		if again := textOf(t, all[:1], composed); again != once {
			t.Errorf("NFD %q, by NFC %q", once, again)
		}
		for _, s := range all[:4] {
			if one := textOf(t, []step{s}, text); textOf(t, []step{s}, one) != one {
				t.Errorf("%+v is not stable: %q", s, one)
			}
		}
	})
}
