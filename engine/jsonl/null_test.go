package jsonl

import (
	"reflect"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// Tables and schemas write every column of every line, null where there is nothing: such
// a field does not stand in the way of the one that is there, and by itself is an error.
func TestNullIsAsGoodAsNone(t *testing.T) {
	texts := Line{Query: "a", Passages: []string{"b"}}
	tokens := Line{Tokens: []engine.Tokens{{IDs: []int32{1}, Types: []int32{0}}}}
	for line, want := range map[string]Line{
		`{"query":"a","passage":"b","input_ids":null,"token_type_ids":null}`: texts,
		`{"query":null,"q":"a","passage":null,"p":"b"}`:                      texts,
		`{"query":"a","passage":null,"text":"b","documents":null}`:           texts,
		`{"query":"a","passage":null,"documents":["b"]}`:                     {Query: "a", Passages: []string{"b"}, List: true},
		`{"query":null,"passage":null,"input_ids":[1]}`:                      tokens,
		`{"input_ids":[1],"token_type_ids":null}`:                            tokens,
	} {
		if got, err := Parse([]byte(line)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", line, got, err, want)
		}
	}
	for line, want := range map[string]string{
		`{"query":"a","passage":null}`:                  `"passage": null, want a string`,
		`{"query":"a","passage":null,"documents":null}`: `"passage": null, want a string`,
		`{"query":"a","documents":null}`:                `"documents": null, want an array`,
		`{"query":null,"passage":"b"}`:                  `"query": null, want a string`,
		`{"input_ids":null}`:                            `"input_ids": null, want an array`,
		`{"input_ids":null,"token_type_ids":[0]}`:       `"input_ids": null, want an array`,
		`{"query":null,"input_ids":null}`:               `no "passage"`,
	} {
		if got, err := Parse([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v, want %s", line, got, err, want)
		}
	}
	if text, _, err := ParsePassage([]byte(`{"passage":null,"text":"b"}`)); text != "b" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}
