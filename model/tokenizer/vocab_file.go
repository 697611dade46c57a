package tokenizer

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// maxVocab is the largest vocabulary. A token takes some 100 bytes of memory, but possibly
// only ten bytes in the file. BERT's vocabulary has 30,522 tokens, LaBSE's, for all
// languages, 501,153.
const maxVocab = 1 << 19

// parseVocab reads a vocab.txt: one token a line. Lines may end in CRLF.
func parseVocab(data []byte) ([]string, error) {
	data = bytes.TrimSuffix(data, []byte("\n"))
	if len(data) == 0 {
		return nil, fmt.Errorf("tokenizer: %s: empty", vocabFile)
	}
	n := bytes.Count(data, []byte("\n")) + 1
	if n > maxVocab {
		return nil, fmt.Errorf("tokenizer: %s: %d lines, want at most %d", vocabFile, n, maxVocab)
	}
	vocab, text := make([]string, 0, n), string(data)
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			return nil, fmt.Errorf("tokenizer: %s: line %d is empty", vocabFile, len(vocab)+1)
		}
		vocab = append(vocab, line)
	}
	return vocab, nil
}

// cutVocab reads the vocabulary of a tokenizer.json, nil if there is none. rest is the file
// with an empty object in its place. The vocabulary is nearly all of the file, and decoding
// it to a map of any values would take thirty times its size.
func cutVocab(data []byte) (vocab []string, rest []byte, err error) {
	s := jsonscan.New(data)
	var from, to int // the vocabulary's place in data
	var model, inside bool
	err = s.Object(func(key []byte) error {
		if string(key) != "model" {
			return s.Skip()
		}
		if err := s.Once(&model); err != nil || s.Null() {
			return err
		}
		return s.Object(func(key []byte) error {
			switch string(key) {
			case "type":
				raw, err := s.Raw()
				if err == nil && len(raw) > 2 && raw[0] == '"' && string(raw) != `"WordPiece"` {
					// Report it now: what follows is long and not needed.
					err = fmt.Errorf("type %.100s is not supported, want WordPiece", raw)
				}
				return err
			case "vocab":
				if err := s.Once(&inside); err != nil {
					return err
				}
				from = s.At()
				vocab, err = readVocab(s)
				to = s.At()
				return err
			}
			return s.Skip()
		})
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return nil, nil, err
	}
	if vocab == nil {
		return nil, data, nil
	}
	rest = append(make([]byte, 0, len(data)-(to-from)+2), data[:from]...)
	return vocab, append(append(rest, "{}"...), data[to:]...), nil
}

// readVocab reads {"token": id, ...}. The ids must be 0 to the number of tokens minus one,
// in any order. It reads the text twice, first to find out how much memory it needs.
func readVocab(s *jsonscan.Scanner) ([]string, error) {
	count := *s
	n, size := 0, 0
	err := count.Object(func(token []byte) error {
		if n++; n > maxVocab {
			return count.Errorf("more than %d tokens", maxVocab)
		}
		size += len(token)
		return count.Skip()
	})
	if err != nil {
		return nil, err
	}
	if size > math.MaxInt32 {
		return nil, s.Errorf("tokens of %d bytes", size)
	}
	type span struct{ from, to int32 } // a token's place in text; empty if it is missing so far
	spans := make([]span, n)
	var text strings.Builder
	text.Grow(size)
	err = s.Object(func(token []byte) error {
		id, err := s.Natural()
		switch {
		case err != nil:
			return err
		case id >= uint64(n):
			return s.Errorf("id %d, want one below %d, the number of tokens", id, n)
		case len(token) == 0:
			return s.Errorf("id %d is the empty token", id)
		case spans[id] != span{}:
			other := text.String()[spans[id].from:spans[id].to]
			return s.Errorf("id %d is that of token %s, too", id, jsonscan.Quote(other))
		}
		from := int32(text.Len())
		text.Write(token)
		spans[id] = span{from, int32(text.Len())}
		return nil
	})
	if err != nil {
		return nil, err
	}
	vocab := make([]string, n)
	for id, at := range spans {
		vocab[id] = text.String()[at.from:at.to]
	}
	return vocab, nil
}

// idsOf returns the ids of those tokens that are in the vocabulary.
func idsOf(tokens map[string]bool, vocab []string) map[string]int {
	ids := make(map[string]int, len(tokens))
	for id, token := range vocab {
		if tokens[token] {
			ids[token] = id
		}
	}
	return ids
}
