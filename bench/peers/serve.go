package peers

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Scorer is a peer that is written in Go: our own engine, and fakes in tests.
type Scorer interface {
	// Open loads the model.
	Open(Opening) (About, error)
	// Score returns the logits of rows in their order, and the latency of each unit.
	Score(rows []Row) ([]float64, []time.Duration, error)
}

// Serve answers the requests on r until it ends.
func Serve(r io.Reader, w io.Writer, s Scorer) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestAnswer)
	answers := json.NewEncoder(w)
	var rows []Row
	for lines.Scan() {
		var q request
		var a answer
		err := json.Unmarshal(lines.Bytes(), &q)
		switch {
		case err != nil:
		case q.Do == "prepare": // everything is made when it is opened
		case q.Do == "open":
			a.About, err = s.Open(q.Opening)
			a.Date = time.Now().Format(time.DateOnly)
		case q.Do == "pairs":
			rows = q.Rows
		case q.Do != "score":
			err = fmt.Errorf("%q: want prepare, open, pairs or score", q.Do)
		case q.From < 0 || q.To < q.From || q.To > len(rows):
			err = fmt.Errorf("score %d to %d of %d pairs", q.From, q.To, len(rows))
		default:
			var took []time.Duration
			a.Scores, took, err = s.Score(rows[q.From:q.To])
			for _, t := range took {
				a.Latencies = append(a.Latencies, t.Seconds())
			}
		}
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := answers.Encode(a); err != nil { // a score that is not finite, too
			if err := answers.Encode(answer{Error: err.Error()}); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}
