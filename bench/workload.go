package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

const (
	// bucketWidth is the width, in tokens, of a bucket of the length histogram.
	bucketWidth = 16
	// builtInSeed makes the built-in data set the same text everywhere.
	builtInSeed = 1
)

// ErrDataset is in every error about a data set that cannot be used.
var ErrDataset = errors.New("bench: bad data set")

// workload is the text of a run: pairs in their order, repeated if a run asks for more than
// there are.
type workload struct {
	name   string
	sha256 string // of the file, or of the built-in pairs as JSON Lines
	pairs  []engine.Pair
	tokens []int32 // of each pair, after the engine has cut it
	// group is how many pairs in a row have the same query; 0: no number of them is sure to.
	group int
	apart *apart // nil: a pair is scored as one text
	// texts: a pair is a single text, its query, and is embedded.
	texts bool
}

// openWorkload reads the first most pairs of the JSON Lines file at path. If path is empty,
// it makes the built-in data set.
func openWorkload(path string, most int) (*workload, error) {
	return openLines(path, most, false)
}

// openLines is openWorkload of single texts, or of pairs.
func openLines(path string, most int, texts bool) (*workload, error) {
	if path == "" {
		return builtIn(most)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDataset, err)
	}
	defer f.Close()
	return readWorkload(f, filepath.Base(path), most, texts)
}

// readWorkload reads the first most pairs of a JSON Lines file, in the format of package
// jsonl: a line with several passages is that many pairs. What follows counts only for the
// file's hash. Blank lines are skipped.
func readWorkload(r io.Reader, name string, most int, texts bool) (*workload, error) {
	hash := sha256.New()
	w, add := &workload{name: name, texts: texts}, (*workload).add
	if texts {
		add = (*workload).addText
	}
	lines := jsonl.NewReader(io.TeeReader(r, hash))
	for len(w.pairs) < most {
		text, err := lines.Next()
		if err == io.EOF {
			break
		}
		if err != nil && !errors.Is(err, jsonl.ErrLong) {
			return nil, fmt.Errorf("%w: %s: %w", ErrDataset, name, err)
		}
		if err == nil {
			err = add(w, text, most)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s:%d: %w", ErrDataset, name, lines.Number(), err)
		}
	}
	if len(w.pairs) == 0 {
		return nil, fmt.Errorf("%w: %s: %s", ErrDataset, name, map[bool]string{false: "no pairs", true: "no texts"}[w.texts])
	}
	// The reader has read ahead. The rest must still be hashed.
	if _, err := io.Copy(hash, r); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDataset, name, err)
	}
	w.sha256 = hex.EncodeToString(hash.Sum(nil))
	return w, nil
}

// add adds the pairs of a line, up to most in total.
func (w *workload) add(text []byte, most int) error {
	if jsonl.Blank(text) {
		return nil
	}
	line, err := jsonl.Parse(text)
	if err != nil {
		return err
	}
	if line.Tokens != nil {
		return errors.New(`tokens, want texts: "query" and "passage"`)
	}
	for _, passage := range line.Passages {
		if len(w.pairs) < most {
			w.pairs = append(w.pairs, engine.Pair{Query: line.Query, Passage: passage})
		}
	}
	return nil
}

// builtIn makes n pairs with the lengths of MS MARCO.
func builtIn(n int) (*workload, error) {
	w := &workload{name: fmt.Sprintf("built-in (seed %d)", builtInSeed)}
	for _, p := range synth.Pairs(builtInSeed, n) {
		w.pairs = append(w.pairs, engine.Pair{Query: p.Query, Passage: p.Passage})
	}
	if err := w.hash(); err != nil {
		return nil, err
	}
	return w, nil
}

// hash makes the workload's hash that of its pairs, as JSON Lines.
func (w *workload) hash() error {
	hash := sha256.New()
	lines := json.NewEncoder(hash)
	if w.texts {
		err := w.hashTexts(lines)
		w.sha256 = hex.EncodeToString(hash.Sum(nil))
		return err
	}
	for _, p := range w.pairs {
		err := lines.Encode(struct {
			Query   string `json:"query"`
			Passage string `json:"passage"`
		}{p.Query, p.Passage})
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDataset, w.name, err)
		}
	}
	w.sha256 = hex.EncodeToString(hash.Sum(nil))
	return nil
}

// measureLengths tokenizes every pair once, to know its length.
func (w *workload) measureLengths(e scorer) error {
	var b model.Batch
	w.tokens = make([]int32, len(w.pairs))
	for i := range w.pairs {
		b.Reset()
		if err := e.Tokenize(&b, w.pairs[i:i+1]); err != nil {
			return err
		}
		w.tokens[i] = int32(b.Tokens())
	}
	return nil
}

// batch replaces dst by pairs lo:hi of the endless workload. It returns their tokens, and
// the tokens if every pair were padded to the longest.
func (w *workload) batch(dst []engine.Pair, lo, hi int) (pairs []engine.Pair, tokens, padded int) {
	pairs = dst[:0]
	if n := hi - lo; w.group > 0 && n > 0 && w.group%n == 0 { // a batch has one query, wherever its loop began
		lo -= lo % n
		hi = lo + n
	}
	longest := 0
	for i := lo; i < hi; i++ {
		at := i % len(w.pairs)
		pairs = append(pairs, w.pairs[at])
		tokens += int(w.tokens[at])
		longest = max(longest, int(w.tokens[at]))
	}
	if w.apart != nil {
		tokens, padded = w.apart.batch(lo, len(pairs))
		return pairs, tokens, padded
	}
	return pairs, tokens, longest * len(pairs)
}

// dataset describes the workload for the recording.
func (w *workload) dataset() recording.Dataset {
	d := recording.Dataset{Name: w.name, SHA256: w.sha256, Pairs: len(w.pairs)}
	counts := map[int]int{}
	last := 0
	for _, n := range w.tokens {
		d.Tokens += int(n)
		counts[int(n)/bucketWidth]++
		last = max(last, int(n)/bucketWidth)
	}
	for i := range last + 1 {
		d.Histogram = append(d.Histogram, recording.LengthBucket{Min: i * bucketWidth, Width: bucketWidth, Pairs: counts[i]})
	}
	return d
}
