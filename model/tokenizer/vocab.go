package tokenizer

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"strings"
)

// wordTable finds the id of a string of bytes. It is an open-addressing hash table. A
// string of at most eight bytes (nearly all are) is its own key, so that one load decides.
type wordTable struct {
	slots   []wordSlot // their number is a power of two; at most half are in use
	shift   int        // 64 - log2(len(slots))
	factor  uint64     // odd, and random for each table, so that no file can cause collisions on purpose
	longest int        // length of the longest string, in bytes
	tokens  []string   // by id; the string begins after skip bytes
	skip    int
}

type wordSlot struct {
	key  uint64
	id   int32
	size int32 // bytes; 0 marks a free slot
}

// slack is how many bytes behind a string find may read; their values do not matter.
const slack = 8

// newWordTable returns a table of the tokens that begin with prefix, without the prefix.
// same has the ids of the first two tokens that are equal, or -1.
func newWordTable(tokens []string, prefix string) (t *wordTable, same [2]int32) {
	n := 0
	for _, token := range tokens {
		if strings.HasPrefix(token, prefix) {
			n++
		}
	}
	log := max(bits.Len(uint(2*n)), 4)
	t = &wordTable{slots: make([]wordSlot, 1<<log), shift: 64 - log, factor: rand.Uint64() | 1, tokens: tokens, skip: len(prefix)}
	var buf []byte
	for id, token := range tokens {
		s, ok := strings.CutPrefix(token, prefix)
		if !ok || s == "" {
			continue
		}
		buf = append(append(buf[:0], s...), make([]byte, slack)...)
		if other := t.find(buf, 0, len(s)); other >= 0 {
			return nil, [2]int32{other, int32(id)}
		}
		key := t.key(buf, 0, len(s))
		i := key * t.factor >> t.shift
		for t.slots[i].size != 0 {
			i = (i + 1) & uint64(len(t.slots)-1)
		}
		t.slots[i] = wordSlot{key, int32(id), int32(len(s))}
		t.longest = max(t.longest, len(s))
	}
	return t, [2]int32{-1, -1}
}

// find returns the id of buf[from:to], which must not be empty, or -1. buf must have slack
// bytes after it.
func (t *wordTable) find(buf []byte, from, to int) int32 {
	size := to - from
	key := t.key(buf, from, to)
	for i := key * t.factor >> t.shift; ; i = (i + 1) & uint64(len(t.slots)-1) {
		s := &t.slots[i]
		if s.size == 0 {
			return -1
		}
		if s.key == key && int(s.size) == size && (size <= 8 || t.tokens[s.id][t.skip:] == string(buf[from:to])) {
			return s.id
		}
	}
}

// prefix returns the id and the end of the longest string in the table with which
// buf[from:to] begins, or -1. It tries every length, so its time is bounded by the longest
// string in the table.
func (t *wordTable) prefix(buf []byte, from, to int) (id int32, end int) {
	for end = min(to, from+t.longest); end > from; end-- {
		if id = t.find(buf, from, end); id >= 0 {
			return id, end
		}
	}
	return -1, from
}

// key returns the bytes of buf[from:to] themselves if they are at most eight, else a hash.
func (t *wordTable) key(buf []byte, from, to int) uint64 {
	size := to - from
	if size <= 8 {
		return binary.LittleEndian.Uint64(buf[from:]) & (1<<(8*size) - 1)
	}
	key := uint64(size)
	for ; from+8 < to; from += 8 {
		key = (key ^ binary.LittleEndian.Uint64(buf[from:])) * t.factor
		key ^= key >> 32
	}
	return key ^ binary.LittleEndian.Uint64(buf[to-8:])
}
