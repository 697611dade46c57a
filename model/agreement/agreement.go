package agreement

import "math"

// Depth is the k of nDCG@k.
const Depth = 10

// Query is the passages of one query, with exact scores and those to compare with them. All
// lists but Unlisted have one value for each passage.
type Query struct {
	Exact, Scores []float64 // logits
	Grades        []int     // what people found: 0 is not relevant, or not judged; nil: nobody judged the query
	Unlisted      []int     // grades of judged passages that are not among these
}

// Figures say how close the scores of queries are to the exact ones. An error is a score
// minus the exact one.
type Figures struct {
	Pairs   int `json:"pairs"`
	Queries int `json:"queries"`
	// LogitSD is the standard deviation of the exact logits (division by their number); the
	// errors are shares of it. They are nil if it is 0.
	LogitSD   float64  `json:"logit_sd"`
	MeanError *float64 `json:"mean_error_over_sd"` // mean |error|
	MaxError  *float64 `json:"max_error_over_sd"`
	Offset    *float64 `json:"offset_over_sd"`   // mean error, the same for all pairs, which swaps nothing
	ErrorSD   *float64 `json:"error_sd_over_sd"` // standard deviation of the error: what swaps
	Orders    int      `json:"orders"`           // twos of passages of one query that the exact logits order
	Swapped   int      `json:"swapped"`          // of these, in the opposite order
	Judged    int      `json:"judged_queries"`   // which the next two are means over; nil for none
	NDCG      *float64 `json:"ndcg_at_10"`
	ExactNDCG *float64 `json:"exact_ndcg_at_10"` // the exact scores', over the same queries
}

// Of compares the scores of queries with the exact ones. Errors are divided by sd, or if that
// is 0 by the standard deviation of these queries' exact logits.
func Of(queries []Query, sd float64) Figures {
	f := Figures{Queries: len(queries)}
	var exact, errs moments
	var absolute, largest, ndcg, exactNDCG float64
	for _, q := range queries {
		f.Pairs += len(q.Exact)
		for i, want := range q.Exact {
			e := q.Scores[i] - want
			if math.IsNaN(e) { // the worst that there is, and not lost among maxima
				e = math.Inf(1)
			}
			exact.add(want)
			errs.add(e)
			absolute += math.Abs(e)
			largest = max(largest, math.Abs(e))
		}
		o := Count(q.Exact, q.Scores)
		f.Orders, f.Swapped = f.Orders+o.InX, f.Swapped+o.Swapped
		if q.Grades != nil {
			f.Judged++
			ndcg += NDCG(q.Scores, q.Grades, q.Unlisted)
			exactNDCG += NDCG(q.Exact, q.Grades, q.Unlisted)
		}
	}
	if f.LogitSD = sd; sd == 0 {
		f.LogitSD = exact.sd()
	}
	if f.LogitSD > 0 {
		over := func(x float64) *float64 { return new(x / f.LogitSD) }
		f.MeanError, f.MaxError = over(absolute/float64(f.Pairs)), over(largest)
		f.Offset, f.ErrorSD = over(errs.mean), over(errs.sd())
	}
	if f.Judged > 0 {
		f.NDCG, f.ExactNDCG = new(ndcg/float64(f.Judged)), new(exactNDCG/float64(f.Judged))
	}
	return f
}

// SwappedShare is the share of orders that are swapped; 0 of none.
func (f *Figures) SwappedShare() float64 { return float64(f.Swapped) / float64(max(f.Orders, 1)) }

// moments are a mean and the sum of the squares around it (Welford 1962): without the
// cancellation of sums of squares, since errors in float32 are a millionth of their logits.
type moments struct{ n, mean, squares float64 }

func (m *moments) add(x float64) {
	m.n++
	d := x - m.mean
	m.mean += d / m.n
	m.squares += float64(d * (x - m.mean)) // rounded before it is added, on every processor
}

// sd is the standard deviation with division by the number; 0 of nothing.
func (m *moments) sd() float64 {
	if m.n == 0 {
		return 0
	}
	return math.Sqrt(m.squares / m.n)
}
