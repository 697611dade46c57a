package jsonl

import (
	"errors"
	"fmt"
	"strings"

	"github.com/minilm-metal/minilm-metal/engine"
)

// maxElements bounds the passages of a line: what is in hand of one line takes some 100 MB
// at the most beside the line itself.
const maxElements = 1 << 20

// Line is what one line holds: pairs of one query and some passages, or the same as tokens.
type Line struct {
	Query    string
	Passages []string
	Tokens   []engine.Tokens // not nil: these, instead of texts
	// List says that the line has a list, whose answer is a list too, of one perhaps, or
	// of none. Without it there is one pair.
	List bool
}

// Pairs is how many pairs the line holds.
func (l *Line) Pairs() int { return len(l.Passages) + len(l.Tokens) }

// The names of each thing that can be in a line. "q" and "p" are what older workload files
// have; "text" is what many call a passage. Of the lists "documents" is Cohere's and
// Jina's, and "texts" that of text-embeddings-inference.
var (
	queryNames   = []string{"query", "q"}
	passageNames = []string{"passage", "p"}
	otherNames   = []string{"text", "documents", "texts", "passages"}
)

// Parse reads one line:
//
//	{"query": "...", "passage": "..."}                           or "q", "p"; "text"
//	{"query": "...", "documents": ["...", {"text": "..."}]}      or "texts", "passages"
//	{"input_ids": [...], "token_type_ids": [...]}                or arrays of such arrays
//
// Token types that are left out are all zeros, as for Hugging Face's models. Other fields
// are ignored, a field that is null is as good as none where another is there, as tables
// and schemas write it, and "passage" goes before the other names. An error names the field, and
// the column where that helps, but not the line.
func Parse(line []byte) (Line, error) {
	o, err := parseObject(line)
	if err != nil {
		return Line{}, err
	}
	query, passage := o.field(queryNames...), o.field(passageNames...)
	if !passage.given() {
		other, err := o.other(passage)
		if err != nil {
			return Line{}, err
		}
		if other.given() || passage.raw == nil {
			passage = other
		}
	}
	ids, types := o.field("input_ids"), o.field("token_type_ids")
	// A tokenized data set may still have its "text".
	text, tokens := query.given() || passage.given() && passage.name != `"text"`, ids.given() || types.given()
	if !text && !tokens { // then what is null is what is wrong
		text = query.raw != nil || passage.raw != nil && passage.name != `"text"`
		tokens = !text && (ids.raw != nil || types.raw != nil)
	}
	switch {
	case text && tokens:
		return Line{}, errors.New("both text and tokens: want one of them")
	case tokens:
		return parseTokens(ids, types)
	case query.raw == nil && passage.raw == nil:
		return Line{}, errors.New(`no "query" and "passage" (or "documents"), and no "input_ids"`)
	case passage.raw == nil:
		return Line{}, errors.New(`no "passage", and no "documents"`)
	}
	l := Line{}
	if l.Query, err = query.text(); err != nil {
		return Line{}, err
	}
	l.Passages, l.List, err = passages(passage)
	return l, err
}

// ParsePassage reads a line that is one passage without its query, as "passage", "text" or
// "p", and the JSON of its "id", which is nil where there is none.
func ParsePassage(line []byte) (text string, id []byte, err error) {
	o, err := parseObject(line)
	if err != nil {
		return "", nil, err
	}
	v := o.field("passage", "text", "p")
	if v.raw == nil {
		if list, err := o.other(v); err == nil && list.raw != nil {
			return "", nil, fmt.Errorf("%s: here each line is one passage; \"score\" reads several", list.name)
		}
	}
	text, err = v.text()
	return text, o["id"].raw, err
}

// other returns the field that holds what is to be scored under one of the other names, or
// none. It does not guess which of two is meant.
func (o object) other(none value) (value, error) {
	found := none
	for _, name := range otherNames {
		switch v := o.field(name); {
		case v.raw == nil || found.raw != nil && !v.given():
		case found.given():
			return none, fmt.Errorf("both %s and %s: want one of them", found.name, v.name)
		default:
			found = v
		}
	}
	return found, nil
}

// passages reads the passage, or the list of them.
func passages(v value) (texts []string, list bool, err error) {
	if v.name == `"passage"` || v.name == `"p"` || v.name == `"text"` {
		text, err := v.text()
		return []string{text}, false, err
	}
	const want = `an array of strings, or of objects with a "text"`
	all, err := v.elements(want)
	if err != nil {
		return nil, true, err
	}
	texts = make([]string, len(all))
	for i, e := range all {
		if e.raw[0] == '{' {
			e = e.member("text")
		}
		if texts[i], err = e.text(); err != nil {
			return nil, true, err
		}
	}
	return texts, true, nil
}

// member returns the field of an object inside the line, the last one of that name.
func (v value) member(name string) value {
	o, err := parseObject(v.raw)
	if err != nil { // it cannot be: the line is valid
		return value{name: v.name}
	}
	inner := o.field(name)
	inner.name = v.name + "." + name
	inner.column += v.column - 1
	return inner
}

func parseTokens(ids, types value) (Line, error) {
	if ids.given() && !types.given() {
		types.raw = nil
	}
	if ids.raw == nil || ids.raw[0] != '[' || !nested(ids) {
		t, err := parseSequence(ids, types)
		return Line{Tokens: []engine.Tokens{t}}, err
	}
	all, err := ids.elements("")
	if err != nil {
		return Line{}, err
	}
	var allTypes []value
	if types.raw != nil {
		if allTypes, err = types.elements("an array of arrays"); err != nil {
			return Line{}, err
		}
		if len(allTypes) != len(all) {
			return Line{}, fmt.Errorf("%d token_type_ids for %d input_ids", len(allTypes), len(all))
		}
	}
	l := Line{List: true, Tokens: make([]engine.Tokens, len(all))}
	for i := range all {
		var types value // none, where there are none
		if allTypes != nil {
			types = allTypes[i]
		}
		if l.Tokens[i], err = parseSequence(all[i], types); err != nil {
			return Line{}, err
		}
	}
	return l, nil
}

// nested says whether an array's first element is an array.
func nested(v value) bool {
	s := scanner{line: v.raw}
	return s.list() && s.value().raw[0] == '['
}

// parseSequence reads the tokens of one pair.
func parseSequence(ids, types value) (t engine.Tokens, err error) {
	if t.IDs, err = ids.ints(); err != nil {
		return t, err
	}
	if types.raw == nil {
		t.Types = make([]int32, len(t.IDs))
		return t, nil
	}
	if t.Types, err = types.ints(); err != nil {
		return t, err
	}
	if len(t.Types) != len(t.IDs) {
		return t, fmt.Errorf("%d %s for %d %s", len(t.Types), strings.ReplaceAll(types.name, `"`, ""), len(t.IDs), strings.ReplaceAll(ids.name, `"`, ""))
	}
	return t, nil
}
