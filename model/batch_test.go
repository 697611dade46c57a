package model

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestBatch(t *testing.T) {
	var b Batch
	if b.Len() != 0 || b.Tokens() != 0 || b.Longest() != 0 {
		t.Errorf("the zero batch has %d sequences, %d tokens, longest %d", b.Len(), b.Tokens(), b.Longest())
	}
	b.Append([]int32{1, 2, 3}, []int32{0, 0, 1})
	b.Append([]int32{4}, []int32{0})
	b.IDs, b.Types = append(b.IDs, 5, 6), append(b.Types, 1, 1)
	b.End()
	if b.Len() != 3 || b.Tokens() != 6 || b.Longest() != 3 || !slices.Equal(b.Start, []int32{0, 3, 4, 6}) {
		t.Errorf("%+v", b)
	}
	var part Batch
	b.Slice(&part, 1, 3)
	if !slices.Equal(part.IDs, []int32{4, 5, 6}) || !slices.Equal(part.Types, []int32{0, 1, 1}) || !slices.Equal(part.Start, []int32{0, 1, 3}) {
		t.Errorf("sequences 1:3 are %+v", part)
	}
	b.Slice(&part, 1, 1)
	if part.Len() != 0 || part.Tokens() != 0 {
		t.Errorf("sequences 1:1 are %+v", part)
	}
	b.Reset()
	if b.Len() != 0 || b.Tokens() != 0 {
		t.Errorf("after Reset: %+v", b)
	}
}

func TestBatchValidate(t *testing.T) {
	c := &Config{VocabSize: 10, TypeVocabSize: 2, MaxPositions: 4}
	for says, bad := range map[string]struct{ ids, types []int32 }{
		"sequence 1, token 1: id 10, want 0 to 9":    {[]int32{0, 10}, []int32{0, 0}},
		"sequence 1, token 0: id -1":                 {[]int32{-1}, []int32{0}},
		"sequence 1, token 0: type 2, want 0 to 1":   {[]int32{9}, []int32{2}},
		"sequence 1, token 0: type -1":               {[]int32{9}, []int32{-1}},
		"sequence 1 has no tokens":                   {nil, nil},
		"sequence 1 has 5 tokens, the model takes 4": {make([]int32, 5), make([]int32, 5)},
		"batch has 2 ids and 3 types":                {[]int32{1}, []int32{1, 1}},
	} {
		var b Batch
		b.Append([]int32{0}, []int32{1})
		if err := b.Validate(c); err != nil {
			t.Fatal(err)
		}
		b.Append(bad.ids, bad.types)
		err := b.Validate(c)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one with %q", err, says)
		}
		if errors.Is(err, ErrTooLong) != (len(bad.ids) == 5) {
			t.Errorf("%v: ErrTooLong or not", err)
		}
	}
}
