package tokenizer

import (
	"strings"
	"testing"
)

func uncased(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := New(shippedVocab(t), Uncased())
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func tiny(t testing.TB, o Options, more ...string) *Tokenizer {
	t.Helper()
	vocab := append(strings.Fields(tinyVocab), more...)
	tok, err := New(vocab, o)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// encode is Encode of a pair that is no error.
func encode(t testing.TB, tok *Tokenizer, query, passage string) Encoding {
	t.Helper()
	e, err := tok.Encode(query, passage)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// appendPair is AppendPair of a pair that is no error.
func appendPair(t testing.TB, tok *Tokenizer, ids, types []int32, query, passage string) (outIDs, outTypes []int32) {
	t.Helper()
	ids, types, err := tok.AppendPair(ids, types, query, passage)
	if err != nil {
		t.Fatal(err)
	}
	return ids, types
}
