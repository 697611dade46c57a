package bench

import (
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// textbook is BERT's WordPiece as one would write it down: words and pieces are strings, and
// a map knows their ids. It is there to be timed. Accents stay, so that it differs from the
// engine's tokenizer on text that has some.
type textbook struct {
	ids               map[string]int32
	lower             bool
	cls, sep, unknown int32
	maxLength         int
}

// longestWord is how many characters a word may have that is not unknown.
const longestWord = 100

func newTextbook(files fs.FS, maxLength int) (*textbook, error) {
	t, err := tokenizer.LoadFS(files)
	if err != nil {
		return nil, err
	}
	b := &textbook{ids: make(map[string]int32, t.VocabSize()), lower: t.Lowercases(), maxLength: maxLength}
	for id := range int32(t.VocabSize()) {
		b.ids[t.Token(id)] = id
	}
	for token, id := range map[string]*int32{"[CLS]": &b.cls, "[SEP]": &b.sep, "[UNK]": &b.unknown} {
		known := false
		if *id, known = b.ids[token]; !known {
			return nil, fmt.Errorf("bench: the vocabulary has no %s", token)
		}
	}
	return b, nil
}

// pairs tokenizes all pairs, by so many goroutines at once.
func (t *textbook) pairs(pairs []engine.Pair, goroutines int) {
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < len(pairs); i += goroutines {
				t.pair(pairs[i])
			}
		})
	}
	wg.Wait()
}

// pair returns [CLS] query [SEP] passage [SEP], the longer text cut first; of texts that have
// become equally long, the one that was shorter.
func (t *textbook) pair(p engine.Pair) []int32 {
	query, passage := t.text(p.Query), t.text(p.Passage)
	shorter := len(query) < len(passage)
	for t.maxLength > 0 && len(query)+len(passage)+3 > t.maxLength {
		if len(query) > len(passage) || shorter && len(query) == len(passage) {
			query = query[:len(query)-1]
		} else {
			passage = passage[:len(passage)-1]
		}
	}
	all := append([]int32{t.cls}, query...)
	all = append(append(all, t.sep), passage...)
	return append(all, t.sep)
}

// text splits a text into words and these into pieces.
func (t *textbook) text(text string) (ids []int32) {
	if t.lower {
		text = strings.ToLower(text)
	}
	var apart strings.Builder // what is a word by itself gets spaces around it
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			apart.WriteByte(' ')
		case r == 0 || r == utf8.RuneError || unicode.Is(unicode.C, r):
		case isPunctuation(r) || unicode.Is(unicode.Han, r):
			apart.WriteString(" " + string(r) + " ")
		default:
			apart.WriteRune(r)
		}
	}
	for _, word := range strings.Fields(apart.String()) {
		ids = append(ids, t.pieces(word)...)
	}
	return ids
}

// pieces takes the longest piece with which the rest of a word begins, again and again.
func (t *textbook) pieces(word string) (ids []int32) {
	runes := []rune(word)
	if len(runes) > longestWord {
		return []int32{t.unknown}
	}
	for at := 0; at < len(runes); {
		end := len(runes)
		for ; end > at; end-- {
			piece := string(runes[at:end])
			if at > 0 {
				piece = "##" + piece
			}
			if id, ok := t.ids[piece]; ok {
				ids = append(ids, id)
				break
			}
		}
		if end == at {
			return []int32{t.unknown}
		}
		at = end
	}
	return ids
}

// isPunctuation is BERT's: all of ASCII that is neither letter nor digit nor space, and
// Unicode's.
func isPunctuation(r rune) bool {
	return r > ' ' && r < 0x7f && !unicode.IsLetter(r) && !unicode.IsDigit(r) || unicode.IsPunct(r)
}
