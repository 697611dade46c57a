package modeltest

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/agreement"
)

// Trained is a checkpoint with trained weights, with pairs of MS MARCO and their logits in
// float64. Both are in MINILM_SHARED, in data/real-ce and data/msmarco-dl19. Synthetic weights
// do not show what trained ones cost a narrow format: they lack channels that are far larger
// than all others.
type Trained struct {
	Dir     string          // the checkpoint's directory
	Queries [][]TrainedPair // of 43 queries the first 20 pairs, in BM25's order
	// Asked are the pairs that a test should score: 16 of each of the first four queries, or
	// all of as many queries as MINILM_REAL_QUERIES says.
	Asked []TrainedPair
	// Deviation is the standard deviation of all 860 logits. Errors are told as shares of it.
	Deviation float64
}

// TrainedPair is a pair of texts and its logit in float64.
type TrainedPair struct {
	Query, Passage string
	Logit          float64
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

// Judge compares scores of pairs with their logits, and the orders of each query's pairs.
// Errors are shares of the deviation of all 860 logits.
func (r *Trained) Judge(pairs []TrainedPair, got []float32) agreement.Figures {
	var queries []agreement.Query
	at := map[string]int{}
	for i, p := range pairs {
		k, seen := at[p.Query]
		if !seen {
			k = len(queries)
			at[p.Query] = k
			queries = append(queries, agreement.Query{})
		}
		queries[k].Exact = append(queries[k].Exact, p.Logit)
		queries[k].Scores = append(queries[k].Scores, float64(got[i]))
	}
	return agreement.Of(queries, r.Deviation)
}
