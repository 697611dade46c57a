package modeltest

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Trained are weights that were trained, and pairs of MS MARCO with their logits by them in
// float64: MINILM_SHARED's data/real-ce. Weights that are made up have no channel that is
// far larger than others, and so say nothing of what that costs a narrow format.
type Trained struct {
	Dir     string          // of the checkpoint
	Queries [][]TrainedPair // each query's pairs, in the order in which BM25 found them
	// Asked are the pairs to be scored: all of as many queries as MINILM_REAL_QUERIES says,
	// 64 of four queries where it says nothing.
	Asked []TrainedPair
	// Deviation is the standard deviation of all logits, also for who scores fewer pairs.
	Deviation float64
}

// TrainedPair is a pair and its logit.
type TrainedPair struct {
	Query, Passage string
	Logit          float64
}

// Agreement is how far scores are from float64's.
type Agreement struct {
	Mean, Worst     float64 // errors, by the logits' standard deviation
	Orders, Swapped int     // twos of one query's pairs, and those in the other order
}

// OpenTrained reads all pairs, or skips the test where MINILM_SHARED is not set.
func OpenTrained(t *testing.T) *Trained {
	t.Helper()
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set: there are no trained weights")
	}
	r := &Trained{Dir: filepath.Join(shared, "data", "real-ce")}
	data, err := os.ReadFile(filepath.Join(shared, "data", "msmarco-dl19", "retrieve_results_dl19.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Query string
		Hits  []struct{ Content string }
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	const hits = 20 // of each query, that have a logit
	golden, err := os.ReadFile(filepath.Join(r.Dir, "dl19-20.f64"))
	if err != nil || len(golden) != 8*hits*len(all) {
		t.Fatalf("%d bytes of logits for %d queries, %v", len(golden), len(all), err)
	}
	var sum, square, n float64
	for _, one := range all {
		var pairs []TrainedPair
		for _, hit := range one.Hits[:hits] {
			logit := math.Float64frombits(binary.LittleEndian.Uint64(golden))
			golden = golden[8:]
			pairs = append(pairs, TrainedPair{one.Query, hit.Content, logit})
			sum, square, n = sum+logit, square+logit*logit, n+1
		}
		r.Queries = append(r.Queries, pairs)
	}
	r.Deviation = math.Sqrt(square/n - sum*sum/n/n)
	queries, each := 4, 16
	if asked := os.Getenv("MINILM_REAL_QUERIES"); asked != "" {
		if queries, err = strconv.Atoi(asked); err != nil || queries < 1 {
			t.Fatalf("MINILM_REAL_QUERIES is %q: %v", asked, err)
		}
		each = hits
	}
	for _, pairs := range r.Queries[:min(queries, len(r.Queries))] {
		r.Asked = append(r.Asked, pairs[:each]...)
	}
	return r
}

// Judge compares scores of pairs with their logits.
func (r *Trained) Judge(pairs []TrainedPair, got []float32) (a Agreement) {
	for i, p := range pairs {
		off := math.Abs(float64(got[i])-p.Logit) / r.Deviation
		if math.IsNaN(off) {
			off = math.Inf(1)
		}
		a.Mean += off / float64(len(pairs))
		a.Worst = max(a.Worst, off)
		for j, other := range pairs[:i] {
			if other.Query != p.Query {
				continue
			}
			a.Orders++
			if (got[i] < got[j]) != (p.Logit < other.Logit) {
				a.Swapped++
			}
		}
	}
	return a
}

// Share is the share of orders that are swapped.
func (a Agreement) Share() float64 { return float64(a.Swapped) / float64(max(a.Orders, 1)) }
