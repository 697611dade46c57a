package remote

import (
	"context"
	"slices"
)

// Dialects of a server.
const (
	TEI    = "tei"    // text-embeddings-inference: POST /rerank with "texts"
	Cohere = "cohere" // POST /v2/rerank with "documents"
	OpenAI = "openai" // POST /v1/embeddings with "input"
)

// target is a dialect at one of the paths where servers have it.
type target struct {
	dialect, path string
	// scores makes a request at the path, and returns the score of each text.
	scores func(c *Client, ctx context.Context, path, query string, texts []string) ([]float64, error)
}

// targets are tried in this order. A server of Cohere's dialect refuses "texts", and one of
// TEI's refuses "documents", so that at most one of the two answers at /rerank. Embeddings
// come last: a server that has both is one of reranking.
var targets = []target{
	{TEI, "/rerank", (*Client).tei},
	{Cohere, "/v2/rerank", (*Client).cohere}, {Cohere, "/v1/rerank", (*Client).cohere}, {Cohere, "/rerank", (*Client).cohere},
	{OpenAI, "/v1/embeddings", (*Client).embed}, {OpenAI, "/embeddings", (*Client).embed},
}

// Dialects returns the names of all dialects, in the order in which they are tried.
func Dialects() (names []string) {
	for _, t := range targets {
		if !slices.Contains(names, t.dialect) {
			names = append(names, t.dialect)
		}
	}
	return names
}
