package synth

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// The text is the same on every machine.
func TestPairsArePinned(t *testing.T) {
	h := sha256.New()
	for _, p := range Pairs(1, 3200) {
		fmt.Fprintf(h, "%s\t%s\n", p.Query, p.Passage)
	}
	if got, want := hex.EncodeToString(h.Sum(nil)), "1ddd7966e2c78736ccd2cf88988bd3da7bc1fbb3713bbd65d34635bafeb5069c"; got != want {
		t.Errorf("sha256 %s, want %s", got, want)
	}
}

func TestPairsAreAPrefix(t *testing.T) {
	many := Pairs(7, 20)
	if !slices.Equal(Pairs(7, 5), many[:5]) {
		t.Error("5 pairs are not the first of 20")
	}
	if slices.Equal(Pairs(8, 5), many[:5]) {
		t.Error("seeds 7 and 8 have the same pairs")
	}
	if len(Pairs(1, 0)) != 0 || len(Pairs(1, -1)) != 0 {
		t.Error("there are pairs where none were asked for")
	}
}

// MS MARCO's lengths, through the real tokenizer.
func TestPairsAreAsLongAsMSMARCO(t *testing.T) {
	vocab := Vocab(30522)
	tok, err := tokenizer.New(vocab, tokenizer.Uncased())
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter()
	for seed := range uint64(3) {
		pairs := Pairs(seed, 3200)
		lengths := make([]int, len(pairs))
		count := make([]int, len(vocab))
		tokens, words := 0, 0
		for i, p := range pairs {
			ids, _, err := tok.AppendPair(nil, nil, p.Query, p.Passage)
			if err != nil {
				t.Fatal(err)
			}
			lengths[i] = len(ids)
			tokens += len(ids)
			words += len(strings.Fields(p.Query)) + len(strings.Fields(p.Passage))
			for _, id := range ids {
				count[id]++
			}
			counted := 3
			for _, word := range strings.Fields(strings.ToLower(p.Query + " " + p.Passage)) {
				counted += w.count(word)
			}
			if counted != len(ids) {
				t.Fatalf("pair %d: %d tokens, counted as %d: %q", i, len(ids), counted, p)
			}
		}
		padded := 0
		for batch := range slices.Chunk(lengths, 32) {
			padded += 32 * slices.Max(batch)
		}
		var squares float64
		mean := float64(tokens) / float64(len(pairs))
		for _, n := range lengths {
			squares += (float64(n) - mean) * (float64(n) - mean)
		}
		slices.Sort(lengths)
		kinds := 0
		for _, c := range count {
			if c > 0 {
				kinds++
			}
		}
		for _, f := range []struct {
			name             string
			got, least, most float64
		}{
			{"mean", mean, 86, 88.5},
			{"standard deviation", math.Sqrt(squares / float64(len(pairs))), 23.5, 26.5},
			{"median", float64(lengths[1600]), 81, 86},
			{"95th percentile", float64(lengths[3040]), 129, 139},
			{"shortest", float64(lengths[0]), 16, 40},
			{"longest", float64(lengths[3199]), 180, 256},
			{"padding waste at batch 32, %", 100 * (1 - float64(tokens)/float64(padded)), 40.5, 45.5},
			{"tokens per word", float64(tokens-3*len(pairs)) / float64(words), 1.15, 1.3},
			{"[UNK], %", 100 * float64(count[unkID]) / float64(tokens), 0.001, 0.1},
			{"different tokens", float64(kinds), 6000, 12000},
			{"share of the commonest, %", 100 * float64(slices.Max(count)) / float64(tokens), 3, 12},
		} {
			if f.got < f.least || f.got > f.most {
				t.Errorf("seed %d: %s is %.3f, want %g to %g", seed, f.name, f.got, f.least, f.most)
			}
		}
	}
}

// A pair is what it should look like, and its query is about its passage.
func TestPairsLookLikeText(t *testing.T) {
	shared, questions := 0, 0
	for i, p := range Pairs(5, 500) {
		for _, text := range []string{p.Query, p.Passage} {
			if !utf8.ValidString(text) || text == "" || strings.TrimSpace(text) != text || strings.Contains(text, "  ") {
				t.Errorf("pair %d: %q", i, text)
			}
		}
		if strings.ToLower(p.Query) != p.Query {
			t.Errorf("pair %d: the query has capitals: %q", i, p.Query)
		}
		if first := p.Passage[0]; !strings.HasSuffix(p.Passage, ".") || first >= 'a' && first <= 'z' {
			t.Errorf("pair %d: no sentences: %q", i, p.Passage)
		}
		if strings.HasSuffix(p.Query, "?") {
			questions++
		}
		for _, word := range strings.Fields(p.Query) {
			if len(word) > 4 && strings.Contains(strings.ToLower(p.Passage), word) {
				shared++
				break
			}
		}
	}
	if shared < 350 {
		t.Errorf("%d of 500 queries share a longer word with their passage, want 350", shared)
	}
	if questions < 20 || questions > 150 {
		t.Errorf("%d of 500 queries have a question mark, want 20 to 150", questions)
	}
}

// Zipf's law: rank r is drawn in proportion to 1/(r+1), within each octave
// evenly.
func TestRank(t *testing.T) {
	var r random
	r.start(1, 1)
	const n, draws = 100, 100000
	var seen [n]int
	for range draws {
		seen[r.rank(n)]++
	}
	octaves := make([]int, 7)
	for k, c := range seen {
		if c == 0 {
			t.Errorf("rank %d was never drawn", k)
		}
		octaves[bitsLen(k+1)-1] += c
	}
	// The last octave, 63 to 126, is cut at 100: draws above are done again.
	for i, c := range octaves[:6] {
		want := draws / (6 + 37.0/64)
		if math.Abs(float64(c)-want) > 0.03*want {
			t.Errorf("octave %d: %d draws, want %.0f", i, c, want)
		}
	}
}

func bitsLen(n int) int {
	b := 0
	for ; n > 0; n >>= 1 {
		b++
	}
	return b
}

func TestPower(t *testing.T) {
	for k := -5000; k <= 5000; k += 37 {
		if got, want := power(passageRatio, k), math.Pow(passageRatio, float64(k)); math.Abs(got/want-1) > 1e-12 {
			t.Errorf("power %d: %g, want %g", k, got, want)
		}
	}
	for _, c := range []struct{ ratio, sigma float64 }{{queryRatio, 0.40}, {passageRatio, 0.32}} {
		if want := math.Exp(c.sigma / 1024); math.Abs(c.ratio-want) > 1e-9 {
			t.Errorf("ratio %.12f, want %.12f", c.ratio, want)
		}
	}
}

func ExamplePairs() {
	p := Pairs(1, 3)[2]
	fmt.Println(p.Query)
	fmt.Println(p.Passage)
	// Output:
	// womane ligament at the cellulose of junealanceville
	// Ligaments tell the time of the ligament at the solvent of brunclandosej. A solvent trioscamiedt gives an alcohol before the ammonia. Charles David holds this low solvent. With a good ligament, Socrates Charles counts the member of the way. Henry Edward should list a glucose of the year with a large solvent. They include bland antigens, solvents, solvents, and ethanol. Your alcohol can take this ripe ligament glucose.
}

func BenchmarkPairs(b *testing.B) {
	for b.Loop() {
		for _, p := range Pairs(1, 3200) {
			io.WriteString(io.Discard, p.Query)
		}
	}
}
