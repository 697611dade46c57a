package jsonl

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/engine"
)

// slow reads a line by encoding/json alone, in the plainest way, and says whether it may be
// read at all. ok is false where text would be replaced by U+FFFD, which is an error here.
func slow(line []byte) (l Line, ok bool) {
	var o map[string]any
	if !utf8.Valid(line) || json.Unmarshal(line, &o) != nil || o == nil {
		return l, false
	}
	maps.DeleteFunc(o, func(_ string, v any) bool { return v == nil }) // as good as none
	first := func(names ...string) (any, string) {
		for _, name := range names {
			if v, there := o[name]; there {
				return v, name
			}
		}
		return nil, ""
	}
	query, queryName := first("query", "q")
	passage, passageName := first("passage", "p")
	if passageName == "" {
		for _, name := range []string{"text", "documents", "texts", "passages"} {
			switch v, there := o[name]; {
			case !there:
			case passageName == "" || v != nil && passage == nil:
				passage, passageName = v, name
			case v != nil:
				return l, false
			}
		}
	}
	_, ids := o["input_ids"]
	_, types := o["token_type_ids"]
	if ids || types {
		return l, queryName == "" && (passageName == "" || passageName == "text") && slowTokens(line, &l)
	}
	l.Query, ok = query.(string)
	if !ok {
		return l, false
	}
	switch passage := passage.(type) {
	case string:
		l.Passages = []string{passage}
		return l, passageName == "passage" || passageName == "p" || passageName == "text"
	case []any:
		l.List, l.Passages = true, []string{}
		for _, one := range passage {
			if inner, there := one.(map[string]any); there {
				one = inner["text"]
			}
			text, there := one.(string)
			if !there {
				return l, false
			}
			l.Passages = append(l.Passages, text)
		}
		return l, passageName != "passage" && passageName != "p" && passageName != "text"
	}
	return l, false
}

// slowTokens reads the tokens of a line.
func slowTokens(line []byte, l *Line) bool {
	// Pointers tell null from 0. Names are matched exactly by the map.
	var o map[string]json.RawMessage
	if json.Unmarshal(line, &o) != nil {
		return false
	}
	read := func(raw json.RawMessage) (x []int32, ok bool) {
		var p []*int32
		if json.Unmarshal(raw, &p) != nil || p == nil {
			return nil, false
		}
		x = []int32{}
		for _, v := range p {
			if v == nil {
				return nil, false
			}
			x = append(x, *v)
		}
		return x, true
	}
	split := func(raw json.RawMessage) (list []json.RawMessage) {
		if json.Unmarshal(raw, &list) != nil {
			return nil
		}
		return list
	}
	maps.DeleteFunc(o, func(_ string, v json.RawMessage) bool { return string(v) == "null" })
	ids, types := []json.RawMessage{o["input_ids"]}, []json.RawMessage{o["token_type_ids"]}
	if list := split(ids[0]); len(list) > 0 && list[0][0] == '[' {
		l.List, ids = true, list
		if types[0] == nil {
			types = make([]json.RawMessage, len(ids))
		} else {
			types = split(types[0])
		}
	}
	for i := range ids {
		x, ok := read(ids[i])
		if !ok || len(types) != len(ids) {
			return false
		}
		y := make([]int32, len(x))
		if types[i] != nil {
			y, ok = read(types[i])
		}
		if !ok || len(x) != len(y) {
			return false
		}
		l.Tokens = append(l.Tokens, engine.Tokens{IDs: x, Types: y})
	}
	return true
}

// replaced says whether decoding put U+FFFD into a text where the line has none.
func replaced(line []byte, l Line) bool {
	n := strings.Count(l.Query, "\ufffd")
	for _, p := range l.Passages {
		n += strings.Count(p, "\ufffd")
	}
	if n == 0 {
		return false
	}
	// Decoding again with every U+FFFD of the line another character leaves those alone
	// that were put in.
	line = bytes.ReplaceAll(line, []byte("\ufffd"), []byte("x"))
	for i := 0; i+6 <= len(line); i++ {
		if line[i] == '\\' && line[i+1] != 'u' {
			i++
		} else if strings.EqualFold(string(line[i:i+6]), `\ufffd`) {
			line = append(line[:i:i], append([]byte("x"), line[i+6:]...)...)
		}
	}
	m, _ := slow(line)
	texts := m.Query + strings.Join(m.Passages, "")
	return strings.Contains(texts, "\ufffd")
}

// What a line means is what encoding/json reads in it, but that no text is replaced.
func FuzzParseIsEncodingJSON(f *testing.F) {
	for _, line := range []string{
		`{"query":"a","passage":"b"}`, `{"q":"a","p":"b"}`, `{"query":"a","documents":["b",{"text":"c"}]}`, `{"query":"a","text":null,"texts":[]}`,
		`{"input_ids":[1,2],"token_type_ids":[0,1]}`, `{"input_ids":[[1],[]]}`, `{"input_ids":[1,null]}`, ` {"q\u0075ery":"\ud83d\ude00","passage":"\ufffd"} `,
		`{"query":"\ud800","passage":""}`, "{\"query\":\"\xff\"}", `[1]`, `{"a":{"b":[1,-2.5e3,"\\",true]},"query":"a","passage":"b","query":"c"}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if len(line) > 200 { // go test shortens them for minutes, and they have nothing new
			return
		}
		before := bytes.Clone(line)
		got, err := Parse(line)
		if !bytes.Equal(line, before) {
			t.Fatal("the line was changed")
		}
		want, ok := slow(line)
		ok = ok && !replaced(line, want)
		if ok != (err == nil) {
			t.Fatalf("%q: error %v, and encoding/json takes it: %v", line, err, ok)
		}
		if ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
		if _, id, err := ParsePassage(line); err == nil && id != nil && !json.Valid(id) {
			t.Errorf("%q: id %q", line, id)
		}
		if _, _, _, id, err := ParseTextOrPair(line); err == nil && id != nil && !json.Valid(id) {
			t.Errorf("%q: id %q", line, id)
		}
	})
}

func TestParseTextOrPair(t *testing.T) {
	for line, want := range map[string][3]string{
		`{"text":"a"}`:                        {"a"},
		`{"passage":"a"}`:                     {"a"},
		`{"text":"a","text_pair":null}`:       {"a"},
		`{"text":"a","text_pair":""}`:         {"a"}, // transformers' pipeline gives it the tokens of "a" alone
		`{"text":"a","text_pair":"b"}`:        {"a", "b", "pair"},
		`{"query":"a","passage":"b"}`:         {"a", "b", "pair"},
		`{"q":"a","p":"b"}`:                   {"a", "b", "pair"},
		`{"query":"a","text":"b"}`:            {"a", "b", "pair"},
		`{"id":7,"text":"a","text_pair":"b"}`: {"a", "b", "pair"},
		`{"id":[1],"text":"a","query":null}`:  {"a"},
	} {
		first, second, pair, id, err := ParseTextOrPair([]byte(line))
		if err != nil || first != want[0] || second != want[1] || pair != (want[2] != "") || strings.Contains(line, "id") != (id != nil) {
			t.Errorf("%s: %q, %q, %v, %q, %v", line, first, second, pair, id, err)
		}
	}
	for line, says := range map[string]string{
		`{}`:                            `no "text"`,
		`{"text":1}`:                    `"text": number, want a string`,
		`{"text":"a","text_pair":1}`:    `"text_pair": number, want a string`,
		`{"text_pair":"a"}`:             `no "text"`,
		`{"query":"a"}`:                 `no "passage"`,
		`{"query":"a","text_pair":"b"}`: `both "query" and "text_pair": want one of them`,
		`{"texts":["a"]}`:               `"texts": here each line is one text`,
		`[]`:                            "want a JSON object",
	} {
		if _, _, _, _, err := ParseTextOrPair([]byte(line)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want %q", line, err, says)
		}
	}
}

func TestTooManyElements(t *testing.T) {
	line := `{"query":"a","documents":[` + strings.Repeat(`"",`, maxElements) + `""]}`
	if _, err := Parse([]byte(line)); err == nil || !strings.Contains(err.Error(), `"documents": over 1048576 elements`) {
		t.Errorf("error %v", err)
	}
}

// Files that are not even text are told apart, which "not UTF-8" alone does not.
func TestNotText(t *testing.T) {
	for line, want := range map[string]string{
		"\xff\xfe{\x00\"\x00":   "not UTF-8 but UTF-16",
		"\x1f\x8b\x08\x00\xff":  "gzip",
		"{\"query\":\"a\x00\"}": "column 12: not JSON: invalid character '\\x00'",
		"{\"a\":\"é\xe9\"}":     "column 9: not UTF-8",
	} {
		if _, err := Parse([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", line, err, want)
		}
	}
	if Blank([]byte("\v")) || !Blank([]byte(" \t\r")) {
		t.Error("white space is JSON's")
	}
}
