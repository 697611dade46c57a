package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// verifyEmbedder compares the similarities of texts with those that are published of
// all-MiniLM-L6-v2. Another embedder makes others, and needs a file of its own.
func (p *program) verifyEmbedder(ctx context.Context, e *engine.Engine, found checkpoint, without, file string) error {
	pin := hub.AllMiniLM()
	weights, err := describeWeights(found.files, pin)
	if err != nil {
		return err
	}
	if file == "" && !isPinned(weights) {
		return fmt.Errorf("similarities are published of %s, and %s is another embedder (%s): --scores FILE has some to compare with", pin.ID, found.name, weights)
	}
	published, err := readPublished(file, testdata.PublishedSimilarities)
	if err != nil {
		return err
	}
	ours, err := similarities(ctx, e, published)
	if err != nil {
		return err
	}
	p.tellVerified(e, found, without, weights)
	return p.tellVerdict(judge(published, ours, worstCosine*cosineDistances[e.Info().Precision]), found)
}

// isPinned reports whether describeWeights has found the pinned weights.
func isPinned(weights string) bool { return strings.Contains(weights, "is the pinned one") }

// similarities returns the cosine of the two texts of each score. An embedding that is NaN
// makes one that is NaN, which counts as far off; one of zeros has cosine 0, as elsewhere.
func similarities(ctx context.Context, e *engine.Engine, of []testdata.PublishedScore) ([]float32, error) {
	var texts []string
	for _, s := range of {
		texts = append(texts, s.Query, s.Passage)
	}
	all, err := e.Embed(ctx, nil, texts)
	width := e.Info().Dimensions
	if len(all) != len(texts)*width {
		return nil, err
	}
	cosines := make([]float32, len(of))
	for i := range cosines {
		a, b := all[2*i*width:][:width], all[(2*i+1)*width:][:width]
		cosines[i] = vectors.Cosine.Of(a, b)
	}
	return cosines, nil
}
