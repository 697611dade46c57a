package peers

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// The protocol: one JSON object a line each way, an answer to each request, in order.
//
//	{"do":"prepare", ...}   make what is derived from the weights, in the cache folder
//	{"do":"open", ...}      load the model: answered by what the peer is
//	{"do":"pairs", ...}     here are the pairs
//	{"do":"score", ...}     score pairs from:to, in one go
//
// Where the task is to embed, a pair is a text, and the answer to score has embeddings in the
// place of scores: little-endian float32, in base64, because as numbers in JSON they would take
// longer than some engines take to make them.
//
// prepare has a process of its own, so that what it takes is neither in the peak memory nor
// in the caches of the process that is measured.

// Row is one pair, as text and as the tokens that our tokenizer makes of it: a peer takes
// one of them, and says which.
type Row struct {
	Query   string  `json:"query"`
	Passage string  `json:"passage"`
	Text    string  `json:"text,omitempty"` // to be embedded; then there is neither query nor passage
	IDs     []int32 `json:"ids"`
	Types   []int32 `json:"types"`
}

// Opening says what a peer opens, or prepares.
type Opening struct {
	Model     string `json:"model"`     // folder of the checkpoint
	Cache     string `json:"cache"`     // folder for what is derived from its weights
	Task      string `json:"task"`      // recording.TaskEmbed, or "" to score pairs
	Precision string `json:"precision"` // f32, bf16 or int8
	Threads   int    `json:"threads"`   //
	Batch     int    `json:"batch"`     // pairs in a batch, for peers that are called with batches
}

// About is what a peer says of itself once it is open.
type About struct {
	Input    string            `json:"input"`    // "text" or "ids"
	How      string            `json:"how"`      // how it is called, for people
	Versions map[string]string `json:"versions"` // of what computes, by package
	Unit     string            `json:"unit"`     // of what its latencies are, such as "batch of 32"; "": it has none
	Date     string            `json:"date"`     // by the clock of its process, as 2006-01-02
}

type request struct {
	Do string `json:"do"`
	Opening
	Rows []Row `json:"rows,omitempty"` // pairs to score; for prepare, others to calibrate with
	From int   `json:"from"`
	To   int   `json:"to"`
}

type answer struct {
	Error   string `json:"error,omitempty"`
	Missing string `json:"missing,omitempty"` // the module that could not be imported
	About
	Scores     numbers `json:"scores,omitempty"`          // logits, in the order of the pairs
	Embeddings []byte  `json:"embeddings,omitempty"`      // or these
	Latencies  numbers `json:"latency_seconds,omitempty"` // of each unit
}

// numbers are as many as the other side meant: encoding/json makes a 0 of a null, which is what
// Python's encoders may make of a NaN.
type numbers []float64

func (n *numbers) UnmarshalJSON(data []byte) error {
	var list []*float64
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	if i := slices.Index(list, nil); i >= 0 {
		return fmt.Errorf("null in the place of number %d of %d", i+1, len(list))
	}
	*n = nil
	for _, x := range list {
		*n = append(*n, *x)
	}
	return nil
}

// peerError is what a peer answered in the place of a result.
type peerError struct{ text, missing string }

func (e *peerError) Error() string { return e.text }

// crash is the end of a process that should have answered.
type crash struct {
	how   string // what happened
	words string // the end of its standard error
}

func (c *crash) Error() string {
	if words := lastLine(c.words); words != "" {
		return fmt.Sprintf("%s; its last words: %s", c.how, words)
	}
	return c.how
}

// values returns what was asked of n pairs, and how many values each has.
func (a *answer) values(task string, n int) (values []float64, each int, err error) {
	if task != recording.TaskEmbed {
		if len(a.Scores) != n {
			return nil, 0, fmt.Errorf("%d scores for %d pairs", len(a.Scores), n)
		}
		return a.Scores, 1, nil
	}
	const size = 4 // bytes of a value
	if each = len(a.Embeddings) / size / max(1, n); each == 0 || each*size*n != len(a.Embeddings) {
		return nil, 0, fmt.Errorf("embeddings of %d bytes for %d texts", len(a.Embeddings), n)
	}
	for i := 0; i < len(a.Embeddings); i += size {
		values = append(values, float64(math.Float32frombits(binary.LittleEndian.Uint32(a.Embeddings[i:]))))
	}
	return values, each, nil
}

// lastLine returns the last line of text that is not blank: what an interpreter says of the
// error that ended it.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// seconds converts what a peer measured.
func seconds(x []float64) (out []time.Duration) {
	for _, v := range x {
		out = append(out, time.Duration(v*float64(time.Second)))
	}
	return out
}
