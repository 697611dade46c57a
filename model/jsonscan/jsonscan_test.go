package jsonscan

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// value reads whatever comes next as encoding/json would into an any, with
// json.Number for numbers.
func value(s *Scanner) (v any, err error) {
	switch s.peek() {
	case '{':
		m := map[string]any{}
		err = s.Object(func(key []byte) error {
			name := string(key)
			m[name], err = value(s)
			return err
		})
		return m, err
	case '[':
		list := []any{}
		err = s.Array(func() error {
			element, err := value(s)
			list = append(list, element)
			return err
		})
		return list, err
	case '"':
		text, err := s.Text("a string")
		return string(text), err
	case 'n':
		if s.Null() {
			return nil, nil
		}
	}
	raw, err := s.Raw()
	switch string(raw) {
	case "true", "false":
		return string(raw) == "true", err
	}
	return json.Number(raw), err
}

// plain says whether a text that encoding/json takes is one for us, too: not deeper than
// 127, and without the escape of half a surrogate pair.
func plain(text string) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '[' || c == '{'):
			if depth++; depth > mostDepth {
				return false
			}
		case !quoted && (c == ']' || c == '}'):
			depth--
		case c == '\\':
			i++
			if text[i] != 'u' {
				continue
			}
			var high, low rune
			fmt.Sscanf(text[i+1:i+5], "%x", &high)
			if i += 4; !utf16.IsSurrogate(high) {
				continue
			}
			if !strings.HasPrefix(text[i+1:], `\u`) {
				return false
			}
			fmt.Sscanf(text[i+3:i+7], "%x", &low)
			if utf16.DecodeRune(high, low) == utf8.RuneError {
				return false
			}
			i += 6
		}
	}
	return true
}

// same checks that a text means the same here and to encoding/json.
func same(t *testing.T, text []byte) {
	t.Helper()
	if !utf8.Valid(text) {
		_ = Check(text, math.MaxInt) // must not panic; what it says is for nobody
		return
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var want any
	wantErr := d.Decode(&want)
	if wantErr == nil {
		if _, err := d.Token(); err != io.EOF {
			wantErr = fmt.Errorf("text after the end: %v", err)
		}
	}
	if wantErr == nil && !plain(string(text)) {
		wantErr = fmt.Errorf("not for us")
	}
	s := New(text)
	got, err := value(s)
	if err == nil {
		err = s.End()
	}
	checked := Check(text, math.MaxInt)
	switch {
	case (err == nil) != (wantErr == nil), (checked == nil) != (wantErr == nil):
		t.Fatalf("%.200q: %v, Check: %v, encoding/json: %v", text, err, checked, wantErr)
	case err == nil && !reflect.DeepEqual(got, want):
		t.Fatalf("%.200q: %v, want %v", text, got, want)
	case err != nil && !strings.Contains(err.Error(), "byte "):
		t.Fatalf("%.200q: %v says no place", text, err)
	}
}

var texts = []string{
	``, ` `, `null`, `true`, `false`, `nul`, `n0`, `truex`, `"a"`, `"`, `"\`, `"\u`, `"\u00`, `"\x"`, `"` + "\x01" + `"`, "\"\x7f\"", "\x00",
	`0`, `-0`, `-`, `01`, `1.`, `1.5`, `.5`, `1e`, `1e5`, `1E+05`, `1e-`, `+1`, `0x1`, `18446744073709551615`, `1 2`,
	`[]`, `[`, `]`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `[[],{},[[1]]]`, " [\t1 ,\r\n2 ] ",
	`{}`, `{`, `}`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `{a:1}`, `{"a" 1}`, `{1:2}`, `{"a":{"b":[{}]},"c":null}`, `{"a":1,"a":2}`,
	`"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00"`, `"\ud83dx"`, `"\ud83d\n"`, `"\ud83d\u0041"`, `"\ud83d\ud83d\ude00"`,
	`"é中😀"`, "\ufeff{}", "\u00a01", `{"\u0061":1}`, `[1]]`, `{"a":1}}`, `"a" "b"`,
}

func TestSameAsEncodingJSON(t *testing.T) {
	for _, text := range texts {
		same(t, []byte(text))
	}
	for _, depth := range []int{mostDepth, mostDepth + 1} {
		same(t, []byte(strings.Repeat("[", depth)+strings.Repeat("]", depth)))
		same(t, []byte(strings.Repeat(`{"a":`, depth)+"1"+strings.Repeat("}", depth)))
	}
}

func FuzzSameAsEncodingJSON(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		// What is found is made smaller by trying all parts of it, which for some hundred
		// bytes takes a minute each: nothing is to be found in long texts.
		if len(text) <= 64 {
			same(t, text)
		}
	})
}

func TestErrors(t *testing.T) {
	long := strings.Repeat("n", 1000)
	for _, c := range []struct {
		text string
		read func(s *Scanner) error
		want string
	}{
		{`[1]`, func(s *Scanner) error { return s.Object(nil) }, "byte 1: [, want an object"},
		{`{}`, func(s *Scanner) error { return s.Array(nil) }, "byte 1: {, want an array"},
		{` "x"`, func(s *Scanner) error { return s.Array(nil) }, `byte 4: string "x", want an array`},
		{`"` + long + `"`, func(s *Scanner) error { return s.Array(nil) }, `byte 1002: string "` + long[:maxQuoted] + `"..., want an array`},
		{`null`, func(s *Scanner) error { _, err := s.Text("a name"); return err }, "byte 4: null, want a name"},
		{``, func(s *Scanner) error { _, err := s.Text("a name"); return err }, "byte 0: unexpected EOF"},
		{`-1`, func(s *Scanner) error { _, err := s.Natural(); return err }, "byte 2: number -1, want an integer in [0, 2^64)"},
		{`1e0`, func(s *Scanner) error { _, err := s.Natural(); return err }, "byte 3: number 1e0, want an integer in [0, 2^64)"},
		{`18446744073709551616`, func(s *Scanner) error { _, err := s.Natural(); return err }, "byte 20: number 18446744073709551616, want an integer in [0, 2^64)"},
		{`1` + strings.Repeat("0", 200), func(s *Scanner) error { _, err := s.Natural(); return err },
			"byte 201: number 1" + strings.Repeat("0", maxQuoted-1) + "..., want an integer in [0, 2^64)"},
		{`true`, func(s *Scanner) error { _, err := s.Natural(); return err }, "byte 4: true, want an integer"},
		{`{"a":{"b":é}}`, (*Scanner).Skip, `byte 10: invalid character 'é'`},
		{`{"a":[1,{"b":"\ud800"}]}`, func(s *Scanner) error { return s.Object(func([]byte) error { return s.Skip() }) },
			`"a": byte 20: the escape of half a surrogate pair`},
	} {
		if err := c.read(New([]byte(c.text))); err == nil || err.Error() != c.want {
			t.Errorf("%.40s: %v, want %s", c.text, err, c.want)
		}
	}
	if n, err := New([]byte("18446744073709551615")).Natural(); err != nil || n != math.MaxUint64 {
		t.Errorf("%d, %v", n, err)
	}
}

// What is skipped is counted and costs no memory, however it is made up.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		text   string
		values int
	}{{`1`, 1}, {`[]`, 1}, {`[1,2]`, 3}, {`{"a":[true,{}],"b":"x"}`, 5}} {
		if err := Check([]byte(c.text), c.values); err != nil {
			t.Errorf("%s of %d values: %v", c.text, c.values, err)
		}
		if err := Check([]byte(c.text), c.values-1); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("more than %d values", c.values-1)) {
			t.Errorf("%s with one value too many: %v", c.text, err)
		}
	}
	large := []byte(`{"a":[` + strings.Repeat(`{"key":"value\n","numbers":[1,2.5]},`, 10_000) + `null]}`)
	if allocations := testing.AllocsPerRun(5, func() {
		if err := Check(large, math.MaxInt); err != nil {
			t.Fatal(err)
		}
	}); allocations > 0 {
		t.Errorf("%v allocations", allocations)
	}
}

// A member that says nothing is not one that is not known, and a long list of names is cut.
func TestUnknown(t *testing.T) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(`{"b":1,"a":"x","known":2,"off":false,"none":null,"empty":{},"c":[0]}`), &object); err != nil {
		t.Fatal(err)
	}
	names := Unknown(object, []string{"known"})
	if got, want := Quoted(names, 3), `"a", "b", "c"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := Quoted(names, 2), `"a", "b", ...`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
