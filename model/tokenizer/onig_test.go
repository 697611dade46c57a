package tokenizer

import (
	"regexp"
	"strings"
	"testing"
)

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
