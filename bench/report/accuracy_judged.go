package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
	"github.com/minilm-metal/minilm-metal/model/agreement"
)

// JudgedFigures are what each precision makes of pairs with exact logits.
type JudgedFigures struct {
	Name       string            `json:"name"`
	SHA256     string            `json:"sha256"`
	Queries    int               `json:"queries"` // in the file
	Precisions []JudgedPrecision `json:"precisions"`
}

// JudgedPrecision is one precision's.
type JudgedPrecision struct {
	Precision string `json:"precision"`
	agreement.Figures
	SwappedShare *float64    `json:"swapped_share"` // nil: no two passages have one query
	Difference   *float64    `json:"ndcg_difference"`
	Interval     *[2]float64 `json:"ndcg_difference_interval"` // 95 %, by bootstrap over queries; nil for fewer than two
	Allowed      float64     `json:"mean_error_allowed"`       // by the accuracy gate at this precision; 0: not known
}

func judgedFigures(rec *recording.Recording) *JudgedFigures {
	j := rec.Judged
	if j == nil {
		return nil
	}
	f := &JudgedFigures{Name: j.Name, SHA256: j.SHA256, Queries: len(j.Queries)}
	for _, s := range j.Scores {
		var queries []agreement.Query
		var differences []float64
		for i, scores := range s.Scores {
			q := agreement.Query{Exact: j.Queries[i].Logits, Scores: scores, Grades: j.Queries[i].Grades, Unlisted: j.Queries[i].Unlisted}
			queries = append(queries, q)
			if q.Grades != nil {
				of := func(scores []float64) float64 {
					return agreement.NDCG(scores, q.Grades, q.Unlisted)
				}
				differences = append(differences, of(q.Scores)-of(q.Exact))
			}
		}
		p := JudgedPrecision{Precision: s.Precision, Figures: agreement.Of(queries, 0), Allowed: allowedAt(rec, s.Precision)}
		if p.Orders > 0 {
			p.SwappedShare = new(p.Figures.SwappedShare())
		}
		if p.NDCG != nil {
			p.Difference = new(*p.NDCG - *p.ExactNDCG)
		}
		if len(differences) > 1 {
			low, high := stats.MeanInterval(differences)
			p.Interval = &[2]float64{low, high}
		}
		f.Precisions = append(f.Precisions, p)
	}
	return f
}

// allowedAt is the gate's limit of the mean error at a precision; 0: not known.
func allowedAt(rec *recording.Recording, precision string) float64 {
	for _, v := range rec.Variants {
		if v.Precision == precision && v.Accuracy != nil {
			return v.Accuracy.Tolerance
		}
	}
	if rec.Accuracy != nil && rec.Precision == precision {
		return rec.Accuracy.Tolerance
	}
	return 0
}

func (f *JudgedFigures) write(p *markdown.Page) {
	if f == nil {
		return
	}
	p.Para("## Accuracy on Judged Pairs")
	p.Block()
	var rows [][]string
	judged := false
	for i := range f.Precisions {
		v := &f.Precisions[i]
		judged = judged || v.Judged > 0
		interval := figure.NotMeasured
		if v.Interval != nil {
			interval = fmt.Sprintf("%+.4f to %+.4f", v.Interval[0], v.Interval[1])
		}
		difference := figure.NotMeasured
		if v.Difference != nil {
			difference = fmt.Sprintf("%+.4f", *v.Difference)
		}
		rows = append(rows, []string{v.Precision, strconv.Itoa(v.Pairs), strconv.Itoa(v.Queries), twoDigits(v.MeanError), twoDigits(v.ErrorSD), twoDigits(v.MaxError),
			figure.Fixed(figure.Scaled(v.SwappedShare, 100), 2), figure.Fixed(v.NDCG, 4), figure.Fixed(v.ExactNDCG, 4), difference, interval})
	}
	p.Table([]string{"Precision", "Pairs", "Queries", "Mean Error (SD)", "SD of Errors (SD)", "Max Error (SD)", "Orders Swapped (%)", "nDCG@10", "nDCG@10 of the Logits", "Difference", "95 % Interval"}, rows)
	p.Para("_Of %s (sha256 %s), whose logits and judgements were given. Errors are distances from these logits, in their standard deviations (SD). Orders are of two passages of one query. %s_",
		markdown.OneLine(f.Name), first(f.SHA256, 12), ndcgNote(judged))
	for i := range f.Precisions {
		v := &f.Precisions[i]
		if v.Queries < f.Queries {
			p.Para("_%s: only the first %d of %d queries were scored, for want of time._", v.Precision, v.Queries, f.Queries)
		}
		if v.MeanError != nil && v.Allowed > 0 && *v.MeanError > v.Allowed {
			p.Para("**%s: these errors are beyond what the accuracy gate allows (mean %s): the scores are wrong, or the logits are not this model's.**", v.Precision, tolerance(v.Allowed))
		}
	}
}

func ndcgNote(judged bool) string {
	if !judged {
		return "Nobody judged the passages, so there is no nDCG."
	}
	return "nDCG@10 is Järvelin and Kekäläinen's (2002): a passage's grade is its gain, over log2(rank+1), and the sum is over the best that the query's judged passages could have; " +
		"passages with one score share their ranks. It is trec_eval's ndcg_cut_10, the mean over judged queries. The interval of the difference is a bootstrap over queries."
}

// twoDigits is a figure of which only the size matters.
func twoDigits(v *float64) string {
	if v == nil {
		return figure.NotMeasured
	}
	return strings.Replace(strconv.FormatFloat(*v, 'g', 2, 64), "e-0", "e-", 1)
}

// first is the beginning of a hash.
func first(hash string, n int) string { return hash[:min(n, len(hash))] }
