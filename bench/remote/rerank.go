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

// Rerank returns the scores of the texts for the query, in the order of the texts. Its error
// is a *Error, or that of ctx.
func (c *Client) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	return c.rerank(ctx, c.dialect, c.path, query, texts)
}

func (c *Client) rerank(ctx context.Context, dialect, path, query string, texts []string) ([]float64, error) {
	var list []ranked
	if dialect == TEI {
		if err := c.do(ctx, "POST", path, teiRequest{query, texts, true, true}, &list); err != nil {
			return nil, err
		}
	} else {
		var answer struct {
			Results []ranked `json:"results"`
		}
		if err := c.do(ctx, "POST", path, cohereRequest{c.model, query, texts, len(texts)}, &answer); err != nil {
			return nil, err
		}
		list = answer.Results
	}
	if len(list) != len(texts) {
		return nil, &Error{Kind: KindCount, err: fmt.Errorf("%d scores for %d texts", len(list), len(texts))}
	}
	scores := make([]float64, len(texts))
	seen := make([]bool, len(texts))
	for _, r := range list {
		score := r.Score
		if dialect == Cohere {
			score = r.Relevance
		}
		switch {
		case r.Index == nil || score == nil:
			return nil, &Error{Kind: KindBody, err: errors.New("an entry without an index or a score")}
		case *r.Index < 0 || *r.Index >= len(texts) || seen[*r.Index]:
			return nil, &Error{Kind: KindCount, err: fmt.Errorf("index %d of %d texts, or twice", *r.Index, len(texts))}
		}
		scores[*r.Index], seen[*r.Index] = *score, true
	}
	return scores, nil
}
