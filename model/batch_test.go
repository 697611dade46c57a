package model

import (
	"encoding/binary"
	"errors"
	"math"
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

// Nothing that fields can hold gets past Validate, or makes it panic. Good sequences stand
// before what is bad: that a first one is right says nothing about the next.
func TestBatchValidateOffsets(t *testing.T) {
	c := &Config{VocabSize: 10, TypeVocabSize: 2, MaxPositions: 4}
	six := make([]int32, 6)
	for _, test := range []struct {
		start []int32
		says  string // "": nothing
	}{
		{[]int32{0, 2, 6}, ""},
		{[]int32{0, 4, 3, 6}, "sequence 1 ends at token 3, before it begins at 4"},
		{[]int32{0, 2, -1, 6}, "sequence 1 ends at token -1"},
		{[]int32{0, 2, math.MinInt32}, "sequence 1 ends at token -2147483648"},
		{[]int32{0, 2, 7}, "sequence 1 ends at token 7, the batch has 6"},
		{[]int32{0, 2, math.MaxInt32}, "sequence 1 ends at token 2147483647, the batch has 6"},
		{[]int32{1, 2, 6}, "begin at token 1"},
		{[]int32{-1, 2, 6}, "begin at token -1"},
		{[]int32{math.MinInt32, math.MaxInt32}, "begin at token -2147483648"},
		{[]int32{0, 2, 5}, "6 tokens, of which sequences have 5"},
		{[]int32{0, 2, 2, 6}, "sequence 1 has no tokens"},
		{[]int32{0}, "6 tokens, of which sequences have 0"},
		{nil, "6 tokens, of which sequences have 0"},
	} {
		b := &Batch{IDs: six, Types: six, Start: test.start}
		for name, err := range map[string]error{"Validate": b.Validate(c), "Encode": Encode(untouched{t}, c, b, Firsts, nil)} {
			switch {
			case test.says == "" && name == "Encode":
				if !errors.Is(err, ErrBusy) {
					t.Errorf("%v: %v, want the device's error", test.start, err)
				}
			case test.says == "" && err != nil:
				t.Errorf("%s, %v: %v", name, test.start, err)
			case test.says != "" && (err == nil || errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), test.says)):
				t.Errorf("%s, %v: error %v, want one with %q", name, test.start, err, test.says)
			}
		}
	}
	var none *Batch
	if err := none.Validate(c); err == nil || !strings.Contains(err.Error(), "nil batch") {
		t.Errorf("no batch: %v", err)
	}
	if err := Encode(untouched{t}, c, none, Firsts, nil); err == nil || !strings.Contains(err.Error(), "nil batch") {
		t.Errorf("no batch: %v", err)
	}
	// Both are empty: a batch that was never used, and one whose last sequence was cut off.
	for _, b := range []*Batch{{}, {Start: []int32{0}}} {
		if err := Encode(untouched{t}, c, b, Firsts, nil); err != nil {
			t.Errorf("%+v: %v", b, err)
		}
	}
}

// untouched is a device that must be given nothing but what is valid, and has no room.
type untouched struct{ tb testing.TB }

func (untouched) Name() string { return "untouched" }
func (untouched) Passes() int  { return 1 }
func (untouched) Close() error { return nil }

// Begin reads a batch as devices do, which look at nothing twice.
func (d untouched) Begin(b *Batch) (Pass, error) {
	tokens, longest := 0, b.Longest()
	for s := range b.Len() {
		lo, hi := b.Bounds(s)
		if n := len(b.IDs[lo:hi]); n < 1 || n > longest || n != len(b.Types[lo:hi]) {
			d.tb.Errorf("sequence %d has %d tokens, the longest %d", s, n, longest)
		}
		tokens += hi - lo
	}
	if tokens != b.Tokens() {
		d.tb.Errorf("%d tokens in sequences, %d in the batch", tokens, b.Tokens())
	}
	return nil, ErrBusy
}

// Whatever a batch holds, it is refused or can be read from one end to the other.
func FuzzValidate(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{0, 0, 1}, []byte{0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0})
	f.Add([]byte{1, 2}, []byte{0, 1}, []byte{0, 0, 0, 0, 255, 255, 255, 255, 2, 0, 0, 0})
	f.Add([]byte{1, 2}, []byte{0}, []byte{1, 0, 0, 0})
	f.Add([]byte{200}, []byte{0}, []byte{0, 0, 0, 128, 255, 255, 255, 127})
	f.Add([]byte{}, []byte{}, []byte{})
	c := &Config{VocabSize: 10, TypeVocabSize: 2, MaxPositions: 4}
	signed := func(bytes []byte) (all []int32) {
		for _, x := range bytes {
			all = append(all, int32(int8(x)))
		}
		return all
	}
	f.Fuzz(func(t *testing.T, ids, types, start []byte) {
		if max(len(ids), len(types), len(start)) > 64 { // long ones go test shortens for minutes
			return
		}
		b := &Batch{IDs: signed(ids), Types: signed(types)}
		for ; len(start) >= 4; start = start[4:] {
			b.Start = append(b.Start, int32(binary.LittleEndian.Uint32(start)))
		}
		err := b.Validate(c)
		encoded := Encode(untouched{t}, c, b, Firsts, nil)
		if err != nil {
			if encoded == nil || encoded.Error() != err.Error() {
				t.Errorf("%+v: Encode says %v, Validate %v", b, encoded, err)
			}
			return
		}
		// Taken apart and put together it is the same.
		var again, part Batch
		for s := range b.Len() {
			b.Slice(&part, s, s+1)
			again.Append(part.IDs, part.Types)
		}
		if !slices.Equal(again.IDs, b.IDs) || !slices.Equal(again.Types, b.Types) || b.Len() > 0 && !slices.Equal(again.Start, b.Start) {
			t.Errorf("%+v put together again is %+v", b, again)
		}
		for i, id := range b.IDs {
			if typ := b.Types[i]; id < 0 || int(id) >= c.VocabSize || typ < 0 || int(typ) >= c.TypeVocabSize {
				t.Errorf("token %d is %d of type %d", i, id, typ)
			}
		}
		if b.Longest() > c.MaxPositions {
			t.Errorf("a sequence has %d tokens", b.Longest())
		}
	})
}
