// Package testdata holds what tests, and the verify command, compare with:
//
//   - Tiny: a small checkpoint with golden.json, its logits and hidden states
//     after every block as PyTorch computes them in float64 (golden.py);
//   - checkpoints.json: what sentence-transformers makes of that checkpoint with its
//     files changed in some 200 ways (checkpoints.py);
//   - embedders.json: what it makes of the checkpoint as an embedder, with modules of
//     every kind beside it (embedders.py);
//   - published_scores.jsonl: scores that others published for
//     cross-encoder/ms-marco-MiniLM-L-6-v2, facts with their sources
//     (make_published.py);
//   - published_similarities.jsonl: cosines that sentence-transformers' manual has of
//     sentence-transformers/all-MiniLM-L6-v2.
package testdata

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

//go:embed tiny
var files embed.FS

//go:embed published_scores.jsonl
var published []byte

//go:embed published_similarities.jsonl
var similarities []byte

// Tiny returns the small checkpoint's files and golden.json.
func Tiny() fs.FS {
	tiny, err := fs.Sub(files, "tiny")
	if err != nil {
		panic(err) // the name is valid
	}
	return tiny
}

// PublishedScore is one pair's score as somebody published it, or the similarity of its two
// texts. Activation "" is "identity"; tolerance 0 is none that is known.
type PublishedScore struct {
	Query      string  `json:"query"`
	Passage    string  `json:"passage"`
	Score      float64 `json:"score"`
	Activation string  `json:"activation"` // "identity": a logit; "sigmoid"; "cosine": of the texts' embeddings
	Tolerance  float64 `json:"tolerance"`  // what float32 engines differ by, or more than the digits printed
	Source     string  `json:"source"`
}

// PublishedScores returns them all.
func PublishedScores() ([]PublishedScore, error) {
	all, err := ReadScores(bytes.NewReader(published))
	if err != nil {
		return nil, fmt.Errorf("published_scores.jsonl, %w", err)
	}
	return all, nil
}

// PublishedSimilarities returns them all.
func PublishedSimilarities() ([]PublishedScore, error) {
	all, err := ReadScores(bytes.NewReader(similarities))
	if err != nil {
		return nil, fmt.Errorf("published_similarities.jsonl, %w", err)
	}
	return all, nil
}

// ReadScores returns the scores that r has as JSON, one object after the other. Each needs a
// query, a passage and a score.
func ReadScores(r io.Reader) (all []PublishedScore, err error) {
	for d := json.NewDecoder(r); ; {
		var p struct {
			PublishedScore
			Query   *string  `json:"query"`
			Passage *string  `json:"passage"`
			Score   *float64 `json:"score"`
		}
		err := d.Decode(&p)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
		case p.Query == nil:
			err = errors.New(`no "query"`)
		case p.Passage == nil:
			err = errors.New(`no "passage"`)
		case p.Score == nil:
			err = errors.New(`no "score"`)
		}
		if err != nil {
			return nil, fmt.Errorf("score %d: %w", len(all)+1, err)
		}
		one := p.PublishedScore
		one.Query, one.Passage, one.Score = *p.Query, *p.Passage, *p.Score
		all = append(all, one)
	}
}
