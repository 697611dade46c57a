package bench

import (
	"encoding/json"
	"fmt"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
)

// openTexts reads the first most texts of the JSON Lines file at path, each a line's "text" or
// "passage". A line that has a query too is a text, and its query is left out; of several
// passages each is one. If path is empty, it takes the passages of the built-in data set.
func openTexts(path string, most int) (*workload, error) {
	w, err := openLines(path, most, true)
	if err != nil || path != "" {
		return w, err
	}
	w.texts = true
	for i, p := range w.pairs {
		w.pairs[i] = engine.Pair{Query: p.Passage}
	}
	return w, w.hash()
}

// addText adds the text of a line, or its texts, up to most in total.
func (w *workload) addText(line []byte, most int) error {
	if jsonl.Blank(line) {
		return nil
	}
	text, _, err := jsonl.ParseText(line)
	texts := []string{text}
	if err != nil { // it may have a list of passages
		pairs, other := jsonl.Parse(line)
		if other != nil || !pairs.List || pairs.Tokens != nil {
			return err
		}
		texts = pairs.Passages
	}
	for _, text := range texts {
		if len(w.pairs) < most {
			w.pairs = append(w.pairs, engine.Pair{Query: text})
		}
	}
	return nil
}

// hashTexts writes each text as a line of JSON to lines.
func (w *workload) hashTexts(lines *json.Encoder) error {
	for _, p := range w.pairs {
		if err := lines.Encode(struct {
			Text string `json:"text"`
		}{p.Query}); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDataset, w.name, err)
		}
	}
	return nil
}
