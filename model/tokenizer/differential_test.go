package tokenizer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// libraryVersion is the version of the Python package tokenizers that the
// differential test asks. (unicode_tables.go was learned from 0.23.2, which has the
// same Unicode data: unicode.json says so of each code point.)
const libraryVersion = "0.23.3"

// batch is what the library is asked at once: many pairs for one tokenizer.json.
type batch struct {
	Tokenizer string  `json:"tokenizer"`
	Groups    []group `json:"groups"`
}

// group has the pairs that are cut alike.
type group struct {
	Max      int         `json:"max"`
	Left     bool        `json:"left"`
	Strategy string      `json:"strategy"`
	Pairs    [][2]string `json:"pairs"`
}

// reading is one pair's ids, types and offsets; offsets are start, end, start, ...
// in code points. All are nil where the library panicked.
type reading struct {
	ids, types, offsets []int
	tooLong             bool // instead: the pair is an error
}

func (r *reading) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case "null":
		return nil
	case `"too long"`:
		r.tooLong = true
		return nil
	}
	return json.Unmarshal(data, &[]any{&r.ids, &r.types, &r.offsets})
}

func (r reading) MarshalJSON() ([]byte, error) {
	switch {
	case r.tooLong:
		return []byte(`"too long"`), nil
	case r.ids == nil:
		return []byte("null"), nil
	}
	return json.Marshal([]any{r.ids, r.types, r.offsets})
}

func (r reading) panicked() bool { return r.ids == nil && !r.tooLong }

// equal compares readings. Offsets count only of a tokenizer whose offsets are the
// library's.
func (r reading) equal(other reading, tok *Tokenizer) bool {
	return r.tooLong == other.tooLong && slices.Equal(r.ids, other.ids) && slices.Equal(r.types, other.types) &&
		(!tok.exactOffsets() || slices.Equal(r.offsets, other.offsets))
}

// exactOffsets reports whether tokens come from where they do in the library: not where
// more than a BertNormalizer moves the text.
func (t *Tokenizer) exactOffsets() bool {
	if len(t.steps) == 0 {
		return true
	}
	_, ok := t.steps[0].(*charTable)
	return ok && len(t.steps) == 1
}

// ours is what this package makes of a pair. Where Encode and AppendPair differ it
// is nothing, which no pair is.
func ours(t *Tokenizer, query, passage string) reading {
	e, encodeErr := t.Encode(query, passage)
	var r reading
	ids, types, err := t.AppendPair(nil, nil, query, passage)
	if errors.Is(err, ErrTooLong) && errors.Is(encodeErr, ErrTooLong) && ids == nil && types == nil {
		return reading{tooLong: true}
	}
	if err != nil || encodeErr != nil || !slices.Equal(ids, e.IDs) || !slices.Equal(types, e.Types) {
		return r
	}
	zeros := slices.Index(e.Types, 1)
	for i, span := range e.Offsets {
		text := query
		if i >= zeros {
			text = passage
		}
		from := utf8.RuneCountInString(text[:span.Start])
		r.offsets = append(r.offsets, from, from+utf8.RuneCountInString(text[span.Start:span.End]))
		r.ids, r.types = append(r.ids, int(e.IDs[i])), append(r.types, int(e.Types[i]))
	}
	return r
}

// TestAgainstLibrary compares random texts under random configurations with what
// the library itself makes of them, ids, types and offsets. It runs where
// MINILM_TOKENIZERS names a Python that has the package; MINILM_TOKENIZERS_BATCHES
// says for how many configurations, of 512 pairs each, and MINILM_TOKENIZERS_SEED
// from which seed (1 if it is not there).
func TestAgainstLibrary(t *testing.T) {
	batches := setting(t, "MINILM_TOKENIZERS_BATCHES", 100)
	c := againstLibrary(t, batches, func(seed, n uint64) batch { return newGrammar(seed, n).batch(8, 64) })
	if !t.Failed() && (c.panics > c.pairs/100 || c.cut < c.pairs/20 || c.tooLong < c.pairs/100) {
		t.Errorf("%+v: want fewer panics, or more that are cut or cannot be", c)
	}
}

// counts are of pairs that were compared.
type counts struct{ pairs, cut, tooLong, panics uint64 }

func (c *counts) add(d counts) {
	c.pairs, c.cut, c.tooLong, c.panics = c.pairs+d.pairs, c.cut+d.cut, c.tooLong+d.tooLong, c.panics+d.panics
}

// setting is the number in a variable of the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// againstLibrary compares batches, numbered from 1, on all processors.
func againstLibrary(t *testing.T, batches uint64, make func(seed, n uint64) batch) counts {
	t.Helper()
	python := os.Getenv("MINILM_TOKENIZERS")
	if python == "" {
		t.Skip("MINILM_TOKENIZERS is not set: no library to compare with")
	}
	seed := setting(t, "MINILM_TOKENIZERS_SEED", 1)
	var next atomic.Uint64
	var mu sync.Mutex
	var all counts
	t.Run("", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				l := startLibrary(t, python)
				for n := next.Add(1); n <= batches && !t.Failed(); n = next.Add(1) {
					name, b := fmt.Sprintf("seed %d, batch %d", seed, n), make(seed, n)
					want, err := l.ask(b)
					if err != nil {
						t.Fatalf("%s: %v\n%.3000s", name, err, b.Tokenizer)
					}
					c := compareBatch(t, name, b, want, l)
					mu.Lock()
					all.add(c)
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%d pairs compared in %d batches, %d of them cut, %d too long; %d more make the library panic", all.pairs, batches, all.cut, all.tooLong, all.panics)
	return all
}

// batch makes a configuration and pairs for it.
func (g *grammar) batch(groups, pairs int) batch {
	c := g.config()
	var b batch
	var texts []string
	for range groups {
		group := group{Max: pick(g, []int{512, 511, 64, 3, 4, 5, 6, 7, 8, 9, 12, 16, 21, 32}), Left: g.flip(),
			Strategy: pick(g, append(strategies[:], "longest_first", "longest_first"))}
		for range pairs {
			long := 1
			// What is cut off the library keeps, each piece of one text with each of
			// the other: long texts in short pieces would take gigabytes.
			if group.Max > 500 && g.IntN(20) == 0 {
				long = 40
			}
			pair := [2]string{g.text(c, 6*long), g.text(c, 12*long)}
			group.Pairs = append(group.Pairs, pair)
			texts = append(texts, pair[0], pair[1])
		}
		b.Groups = append(b.Groups, group)
	}
	b.Tokenizer = string(g.finish(c, texts))
	return b
}

// compareBatch compares the pairs of a batch with the library's readings. l makes the first
// that is read differently smaller; it may be nil.
func compareBatch(t *testing.T, name string, b batch, want []reading, l *library) (c counts) {
	t.Helper()
	whole, err := LoadFS(fstest.MapFS{jsonFile: {Data: []byte(b.Tokenizer)}})
	if err != nil {
		t.Fatalf("%s: %v\n%.3000s", name, err, b.Tokenizer)
	}
	for _, group := range b.Groups {
		tok := cutting(t, whole, group)
		for _, pair := range group.Pairs {
			if len(want) == 0 {
				t.Fatalf("%s: too few readings", name)
			}
			expected := want[0]
			want = want[1:]
			if expected.panicked() {
				c.panics++
				continue
			}
			got := ours(tok, pair[0], pair[1])
			if !got.equal(expected, tok) {
				if l != nil {
					t.Errorf("%s:\n%s", name, smallest(t, l, b.Tokenizer, tok, group, pair))
				} else {
					t.Errorf("%s: %q, at most %d, left %t, %s:\n got %v\nwant %v", name, pair, group.Max, group.Left, group.Strategy, got, expected)
				}
				return c
			}
			switch c.pairs++; {
			case got.tooLong:
				c.tooLong++
			case len(got.ids) == group.Max:
				c.cut++
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("%s: %d readings too many", name, len(want))
	}
	return c
}

func cutting(t *testing.T, tok *Tokenizer, g group) *Tokenizer {
	t.Helper()
	side := TruncateRight
	if g.Left {
		side = TruncateLeft
	}
	strategy, err := ParseStrategy(cmp.Or(g.Strategy, "longest_first"))
	if err == nil {
		tok, err = tok.Truncating(Truncation{MaxLength: g.Max, Side: side, Strategy: strategy})
	}
	if err != nil {
		t.Fatal(err)
	}
	return tok
}
