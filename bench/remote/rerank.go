package remote

import (
	"context"
	"errors"
	"fmt"
)

// teiRequest asks for raw scores, which lose nothing near 0 and 1, and for texts that are
// too long to be cut, as ours are.
type teiRequest struct {
	Query     string   `json:"query"`
	Texts     []string `json:"texts"`
	RawScores bool     `json:"raw_scores"`
	Truncate  bool     `json:"truncate"`
}

// cohereRequest has only the fields that Cohere itself knows: it refuses others.
type cohereRequest struct {
	Model     string   `json:"model"`
	Query     string   `json:"query"`
	Documents []string `json:"documents"`
	TopN      int      `json:"top_n"`
}

// ranked is one entry of an answer. Pointers tell a missing field from 0.
type ranked struct {
	Index     *int     `json:"index"`
	Score     *float64 `json:"score"`           // TEI
	Relevance *float64 `json:"relevance_score"` // Cohere
}

func (c *Client) tei(ctx context.Context, path, query string, texts []string) ([]float64, error) {
	var list []ranked
	if err := c.do(ctx, "POST", path, teiRequest{query, texts, true, true}, &list); err != nil {
		return nil, err
	}
	return inOrder(list, len(texts), func(r *ranked) *float64 { return r.Score })
}

func (c *Client) cohere(ctx context.Context, path, query string, texts []string) ([]float64, error) {
	var answer struct {
		Results []ranked `json:"results"`
	}
	if err := c.do(ctx, "POST", path, cohereRequest{c.model, query, texts, len(texts)}, &answer); err != nil {
		return nil, err
	}
	return inOrder(answer.Results, len(texts), func(r *ranked) *float64 { return r.Relevance })
}

// inOrder returns the scores of an answer in the order of the texts, of which there are want.
func inOrder(list []ranked, want int, of func(*ranked) *float64) ([]float64, error) {
	if len(list) != want {
		return nil, &Error{Kind: KindCount, err: fmt.Errorf("%d scores for %d texts", len(list), want)}
	}
	scores, seen := make([]float64, want), make([]bool, want)
	for i := range list {
		at, score := list[i].Index, of(&list[i])
		switch {
		case at == nil || score == nil:
			return nil, &Error{Kind: KindBody, err: errors.New("an entry without an index or a score")}
		case *at < 0 || *at >= want || seen[*at]:
			return nil, &Error{Kind: KindCount, err: fmt.Errorf("index %d of %d texts, or twice", *at, want)}
		}
		scores[*at], seen[*at] = *score, true
	}
	return scores, nil
}
