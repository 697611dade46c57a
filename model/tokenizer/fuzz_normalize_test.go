package tokenizer

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

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
