package bench

import (
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// apart is the tokens of each pair's texts by themselves, as a server of embeddings gets
// them: the query of a batch once, and each passage.
type apart struct{ queries, passages []int32 }

// embeds says whether what is measured makes embeddings, whose cosines are the scores. The
// server must have been probed.
func (s *session) embeds() bool {
	return s.Server != nil && s.Server.About().Embeds()
}

// measureTexts tokenizes every text once, if texts are what is embedded.
func (s *session) measureTexts() error {
	if !s.embeds() {
		return nil
	}
	var b model.Batch
	tokens := func(passage string) (int32, error) {
		b.Reset()
		err := s.engine.Tokenize(&b, []engine.Pair{{Passage: passage}})
		return int32(b.Tokens()), err
	}
	// What stands around the two texts of a pair is more than what stands around one text: a
	// token at its beginning and one at its end.
	around, err := tokens("")
	if err != nil {
		return err
	}
	a := new(apart)
	for _, p := range s.work.pairs {
		q, err := tokens(p.Query)
		if err != nil {
			return err
		}
		t, err := tokens(p.Passage)
		if err != nil {
			return err
		}
		a.queries, a.passages = append(a.queries, q-around+2), append(a.passages, t-around+2)
	}
	s.work.apart = a
	return nil
}

// batch returns the tokens of a request with so many of the pairs from the one at at on, and
// the tokens if each of its texts were padded to the longest.
func (a *apart) batch(at, pairs int) (tokens, padded int) {
	longest := a.queries[at%len(a.queries)]
	tokens = int(longest)
	for i := at; i < at+pairs; i++ {
		n := a.passages[i%len(a.passages)]
		tokens += int(n)
		longest = max(longest, n)
	}
	return tokens, int(longest) * (pairs + 1)
}

// gateEmbeddings stands for the accuracy gate where there is nothing to compare: a cosine is
// no cross-encoder's score, and the reference has no other.
func (s *session) gateEmbeddings() {
	s.rec.Server.Scale = recording.ScaleCosine
	s.note("A request embeds its texts, the query once and each passage, and the score of a pair is the cosine of the two vectors, which the client computes. That is other work than a cross-encoder's, and the scores are held to nothing: an accuracy is not told. Pairs/s are passages/s; tokens are those of the texts, by the tokenizer of --model.")
}
