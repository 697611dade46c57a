package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// embedRequest asks for numbers: base64 would be cheaper to read, but not every server has it.
type embedRequest struct {
	Model    string   `json:"model"`
	Input    []string `json:"input"`
	Encoding string   `json:"encoding_format"`
}

// embed asks for the vectors of a query and of its texts, the query first and once, and
// returns the cosine of each text's with the query's. These are no cross-encoder's scores:
// such a server has never seen the two texts of a pair together.
func (c *Client) embed(ctx context.Context, path, query string, texts []string) ([]float64, error) {
	input := append([]string{query}, texts...)
	var answer struct {
		Data []struct {
			Index     *int   `json:"index"`
			Embedding vector `json:"embedding"`
		} `json:"data"`
	}
	if err := c.do(ctx, "POST", path, embedRequest{c.model, input, "float"}, &answer); err != nil {
		return nil, err
	}
	if len(answer.Data) != len(input) {
		return nil, &Error{Kind: KindCount, err: fmt.Errorf("%d embeddings for %d texts", len(answer.Data), len(input))}
	}
	vectors := make([]vector, len(input))
	for _, e := range answer.Data { // whose order need not be that of the texts
		switch {
		case e.Index == nil || len(e.Embedding) == 0:
			return nil, &Error{Kind: KindBody, err: errors.New("an entry without an index or an embedding")}
		case *e.Index < 0 || *e.Index >= len(input) || vectors[*e.Index] != nil:
			return nil, &Error{Kind: KindCount, err: fmt.Errorf("index %d of %d texts, or twice", *e.Index, len(input))}
		}
		vectors[*e.Index] = e.Embedding
	}
	scores := make([]float64, len(texts))
	for i := range scores {
		var err error
		if scores[i], err = vectors[0].cosine(vectors[i+1]); err != nil {
			return nil, &Error{Kind: KindBody, err: err}
		}
	}
	return scores, nil
}

// vector is an embedding. It reads its numbers itself: encoding/json takes several times as
// long, which would be the client's part of every latency, and takes null for 0.
type vector []float64

// UnmarshalJSON reads a list of numbers, which is JSON already.
func (v *vector) UnmarshalJSON(text []byte) error {
	if text[0] != '[' {
		return fmt.Errorf("an embedding is %.20q, want a list of numbers", text)
	}
	text = bytes.TrimSpace(text[1 : len(text)-1])
	*v = make(vector, 0, 1+bytes.Count(text, []byte{','}))
	for more := len(text) > 0; more; {
		var number []byte
		number, text, more = bytes.Cut(text, []byte{','})
		x, err := strconv.ParseFloat(string(bytes.TrimSpace(number)), 64)
		if err != nil {
			return fmt.Errorf("an embedding has %.20q, want numbers", number)
		}
		*v = append(*v, x)
	}
	return nil
}

// cosine is that of the angle between two vectors. Without a direction there is none.
func (v vector) cosine(w vector) (float64, error) {
	if len(v) != len(w) {
		return 0, fmt.Errorf("embeddings of %d and %d numbers", len(v), len(w))
	}
	var dot, vv, ww float64
	for i, x := range v {
		dot, vv, ww = dot+x*w[i], vv+x*x, ww+w[i]*w[i]
	}
	cosine := dot / (math.Sqrt(vv) * math.Sqrt(ww))
	if math.IsNaN(cosine) || math.IsInf(cosine, 0) {
		return 0, errors.New("an embedding of zeros, or of numbers too large")
	}
	return cosine, nil
}
