package recording

import "fmt"

// Judged is what each precision makes of pairs whose exact logits were given, and whose
// passages people may have judged. Figures are derived from it, and none is in it.
type Judged struct {
	Name    string         `json:"name"`   // the file's
	SHA256  string         `json:"sha256"` // of the file
	Queries []JudgedQuery  `json:"queries"`
	Scores  []JudgedScores `json:"scores"` // one for each precision
}

// JudgedQuery is the passages of one query.
type JudgedQuery struct {
	Logits   []float64 `json:"logits"`             // exact, one for each passage
	Grades   []int     `json:"grades,omitempty"`   // one for each passage, 0 for one that nobody judged; nil: the query was not judged
	Unlisted []int     `json:"unlisted,omitempty"` // of judged passages that are not among these
}

// JudgedScores is what one precision made of the first queries: all of them, if there was
// time.
type JudgedScores struct {
	Precision string      `json:"precision"`
	Scores    [][]float64 `json:"scores"` // of each query, as logits
}

func (j *Judged) validate() error {
	if j == nil {
		return nil
	}
	for i, q := range j.Queries {
		if len(q.Logits) == 0 || q.Grades != nil && len(q.Grades) != len(q.Logits) {
			return fmt.Errorf("judged: queries[%d]: %d logits and %d grades, want at least 1, and as many grades or none", i, len(q.Logits), len(q.Grades))
		}
	}
	for i, s := range j.Scores {
		if s.Precision == "" || len(s.Scores) > len(j.Queries) {
			return fmt.Errorf("judged: scores[%d]: precision %q, %d of %d queries: want a name, and no more than there are", i, s.Precision, len(s.Scores), len(j.Queries))
		}
		for k, scores := range s.Scores {
			if len(scores) != len(j.Queries[k].Logits) {
				return fmt.Errorf("judged: scores[%d]: %d scores of query %d, want %d", i, len(scores), k, len(j.Queries[k].Logits))
			}
		}
	}
	return nil
}
