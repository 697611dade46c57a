package peers

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// Scorer is a peer that is written in Go: our own engine, and fakes in tests.
type Scorer interface {
	// Open loads the model.
	Open(Opening) (About, error)
	// Score returns the logits of rows in their order, and the latency of each unit.
	Score(rows []Row) ([]float64, []time.Duration, error)
}

// Embedder is a Scorer that embeds texts, too, where that is the task.
type Embedder interface {
	Scorer
	// Embed returns the embeddings of rows, one after the other, and the latency of each unit.
	Embed(rows []Row) ([]float32, []time.Duration, error)
}

// Serve answers the requests on r until it ends.
func Serve(r io.Reader, w io.Writer, s Scorer) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestAnswer)
	answers := json.NewEncoder(w)
	var rows []Row
	task := ""
	for lines.Scan() {
		var q request
		var a answer
		err := json.Unmarshal(lines.Bytes(), &q)
		switch {
		case err != nil:
		case q.Do == "prepare": // everything is made when it is opened
		case q.Do == "open":
			task = q.Task
			if _, can := s.(Embedder); task == recording.TaskEmbed && !can {
				err = errors.New("cannot embed")
				break
			}
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
			if e, can := s.(Embedder); task == recording.TaskEmbed && can {
				var values []float32
				values, took, err = e.Embed(rows[q.From:q.To])
				a.Embeddings = littleEndian(values)
			} else {
				a.Scores, took, err = s.Score(rows[q.From:q.To])
			}
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

func littleEndian(values []float32) (out []byte) {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}
