package tokenizer

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	sugarme "github.com/sugarme/tokenizer"
	"github.com/sugarme/tokenizer/model/wordpiece"
	"github.com/sugarme/tokenizer/normalizer"
	"github.com/sugarme/tokenizer/pretokenizer"
	"github.com/sugarme/tokenizer/processor"
)

// madePairs are texts of words of the shipped vocabulary with its pieces and
// punctuation among them, as long as MS MARCO's, for where there is no real text.
func madePairs(b *testing.B) (pairs []textPair) {
	random := rand.New(rand.NewPCG(1, 2))
	var words, pieces []string
	for _, token := range shippedVocab(b) {
		switch piece, inside := strings.CutPrefix(token, "##"); {
		case strings.Trim(piece, "abcdefghijklmnopqrstuvwxyz") != "":
		case inside:
			pieces = append(pieces, piece)
		default:
			words = append(words, piece)
		}
	}
	text := func(n int) string {
		var s strings.Builder
		for i := range n {
			word := words[random.IntN(min(len(words), 1<<random.IntN(14)))]
			if i == 0 || random.IntN(12) == 0 {
				word = strings.ToUpper(word[:1]) + word[1:]
			}
			if random.IntN(8) == 0 {
				word += pieces[random.IntN(len(pieces))]
			}
			s.WriteString(word)
			if random.IntN(9) == 0 {
				s.WriteByte(".,;:?"[random.IntN(5)])
			}
			s.WriteByte(' ')
		}
		return s.String()
	}
	for range 1000 {
		pairs = append(pairs, textPair{text(3 + random.IntN(7)), text(30 + random.IntN(50))})
	}
	return pairs
}

// BenchmarkAppendPair measures one and two goroutines on text made here and, with
// MINILM_SHARED, the real vocabulary on MS MARCO passages and XQuAD, beside
// sugarme and, by testdata/tokenizer/speed.mjs, Hugging Face's library.
func BenchmarkAppendPair(b *testing.B) {
	b.Run("made", func(b *testing.B) { benchmarkPairs(b, uncased(b), madePairs(b)) })
	for _, name := range []string{"msmarco-dl19", "xquad-en", "xquad-de", "xquad-ru", "xquad-zh"} {
		b.Run(name, func(b *testing.B) {
			pairs := sharedPairs(b, name)
			benchmarkPairs(b, realTokenizer(b), pairs)
			if name == "msmarco-dl19" {
				b.Run("sugarme", func(b *testing.B) { benchmarkSugarme(b, pairs) })
			}
		})
	}
}

func benchmarkPairs(b *testing.B, tok *Tokenizer, pairs []textPair) {
	bytes, tokens := 0, 0
	for _, p := range pairs {
		bytes += len(p.query) + len(p.passage)
		ids, _ := appendPair(b, tok, nil, nil, p.query, p.passage)
		tokens += len(ids)
	}
	for _, goroutines := range []int{1, 2} {
		b.Run("goroutines="+strconv.Itoa(goroutines), func(b *testing.B) {
			b.SetBytes(int64(bytes * goroutines))
			b.ReportAllocs()
			for b.Loop() {
				var all sync.WaitGroup
				for range goroutines {
					all.Go(func() {
						ids, types := make([]int32, 0, 1024), make([]int32, 0, 1024)
						for _, p := range pairs {
							ids, types, _ = tok.AppendPair(ids[:0], types[:0], p.query, p.passage)
						}
					})
				}
				all.Wait()
			}
			b.ReportMetric(float64(tokens*goroutines*b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}

func benchmarkSugarme(b *testing.B, pairs []textPair) {
	model, err := wordpiece.NewWordPieceFromFile(shared(b, "model-files", vocabFile), "[UNK]")
	if err != nil {
		b.Fatal(err)
	}
	tok := sugarme.NewTokenizer(model)
	tok.WithNormalizer(normalizer.NewBertNormalizer(true, true, true, true))
	tok.WithPreTokenizer(pretokenizer.NewBertPreTokenizer())
	tok.WithPostProcessor(processor.NewBertProcessing(processor.PostToken{Value: "[SEP]", Id: 102}, processor.PostToken{Value: "[CLS]", Id: 101}))
	for _, token := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		tok.AddSpecialTokens([]sugarme.AddedToken{sugarme.NewAddedToken(token, true)})
	}
	pairs = pairs[:100]
	tokens := 0
	for b.Loop() {
		for _, p := range pairs {
			e, err := tok.EncodePair(p.query, p.passage, true)
			if err != nil {
				b.Fatal(err)
			}
			tokens += len(e.Ids)
		}
	}
	b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
}

// BenchmarkLoadFS measures the real files: tokenizer.json, and vocab.txt without it.
func BenchmarkLoadFS(b *testing.B) {
	for name, files := range map[string][]string{
		"json":  {jsonFile, configFile},
		"vocab": {vocabFile, configFile, specialsFile},
	} {
		b.Run(name, func(b *testing.B) {
			dir := memFS{}
			for _, file := range files {
				data, err := os.ReadFile(filepath.Join(shared(b, "model-files"), file))
				if err != nil {
					b.Fatal(err)
				}
				dir[file] = string(data)
			}
			fsys := dir.fs()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := LoadFS(fsys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
