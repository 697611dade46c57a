package jsonl

import (
	"errors"
	"fmt"
	"strings"

	"github.com/minilm-metal/minilm-metal/engine"
)

// maxElements is the largest number of passages in a line. It keeps the memory for one line
// at some 100 MB, besides the line itself.
const maxElements = 1 << 20

// Line is the content of one line: a query and its passages, or pairs as tokens.
type Line struct {
	Query    string
	Passages []string
	Tokens   []engine.Tokens // if not nil, the line has tokens and no texts
	// List is true if the line has a list of passages, also one of a single element or
	// none: its answer is a list, too. Otherwise the line is one pair.
	List bool
}

// Pairs is how many pairs the line holds.
func (l *Line) Pairs() int { return len(l.Passages) + len(l.Tokens) }

// The field names that are accepted. "q" and "p" are in older workload files; "text" is a
// common name of a passage. The list is "documents" at Cohere and Jina and "texts" in
// text-embeddings-inference.
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
// If token_type_ids is missing, all types are 0, as in Hugging Face's models. Unknown
// fields are ignored. A field that is null counts as missing if another of its names is
// there, because tables and schemas write nulls. "passage" takes precedence over the other
// names. An error names the field and, where it helps, the column, but not the line's
// number.
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
	// A data set that is tokenized may still have its "text" field: tokens take precedence.
	text, tokens := query.given() || passage.given() && passage.name != `"text"`, ids.given() || types.given()
	if !text && !tokens { // then a field that is null is the error
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

// ParsePassage reads a line with one passage and no query. The passage is the field
// "passage", "text" or "p". id is the JSON of the field "id", nil if there is none.
func ParsePassage(line []byte) (text string, id []byte, err error) {
	return parseText(line, "passage", "text", "p")
}

// ParseText is ParsePassage for texts that answer nothing: where the line has none of the
// fields, the error asks for "text".
func ParseText(line []byte) (text string, id []byte, err error) {
	return parseText(line, "text", "passage", "p")
}

// ParseTextOrPair reads a line with one text, as ParseText does, or with a pair: "text" and
// "text_pair", as transformers has them, or "query" and "passage", or "q" and "p". A second text
// that is null counts as missing, and so does a "text_pair" of "", which transformers' pipeline
// takes for none; a "passage" of "" is one, as for scores.
func ParseTextOrPair(line []byte) (first, second string, pair bool, id []byte, err error) {
	o, err := parseObject(line)
	if err != nil {
		return "", "", false, nil, err
	}
	a, b := o.field("text", "passage", "p"), o.field("text_pair")
	switch query := o.field(queryNames...); {
	case query.given() && b.given():
		return "", "", false, nil, fmt.Errorf("both %s and %s: want one of them", query.name, b.name)
	case query.given():
		a, b = query, o.field("passage", "p", "text")
	case !b.given():
		first, id, err = parseText(line, "text", "passage", "p")
		return first, "", false, id, err
	}
	if first, err = a.text(); err == nil {
		second, err = b.text()
	}
	return first, second, second != "" || b.name != `"text_pair"`, o["id"].raw, err
}

// parseText reads the text that is under the first of names that the line has.
func parseText(line []byte, names ...string) (text string, id []byte, err error) {
	o, err := parseObject(line)
	if err != nil {
		return "", nil, err
	}
	v := o.field(names...)
	if v.raw == nil {
		if list, err := o.other(v); err == nil && list.raw != nil {
			if names[0] == "text" {
				return "", nil, fmt.Errorf("%s: here each line is one text", list.name)
			}
			return "", nil, fmt.Errorf("%s: here each line is one passage; \"score\" reads several", list.name)
		}
	}
	text, err = v.text()
	return text, o["id"].raw, err
}

// other returns the field with the passage or passages under a name other than "passage",
// or none. Two such fields are an error: it does not guess.
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

// member returns a field of v, which is an object inside the line. Of two fields with that
// name it returns the last.
func (v value) member(name string) value {
	o, err := parseObject(v.raw)
	if err != nil { // cannot happen: the line is valid JSON
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
