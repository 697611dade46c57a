package synth

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

//go:embed vocab.txt
var vocabFile string

// The special tokens have the same ids as in BERT's uncased vocabulary.
const (
	padID, unkID, clsID, sepID, maskID = 0, 100, 101, 102, 103

	specialEntries = 104
)

// Vocab returns a vocabulary of n entries. The embedded one has 30,522; if n is larger,
// unused entries follow. If n is smaller, it has the first n of the ASCII entries and then
// the others, so that a small vocabulary has words and pieces of words rather than
// characters of other scripts.
func Vocab(n int) []string {
	vocab := strings.Split(strings.TrimSuffix(vocabFile, "\n"), "\n")
	if n < len(vocab) {
		slices.SortStableFunc(vocab, func(a, b string) int { return cmp.Compare(foreignness(a), foreignness(b)) })
	}
	for i := 99; len(vocab) < n; i++ {
		vocab = append(vocab, fmt.Sprintf("[unused%d]", i))
	}
	return vocab[:n]
}

// foreignness is 0 for ASCII and 1 for anything else.
func foreignness(entry string) int {
	for _, r := range entry {
		if r >= utf8.RuneSelf {
			return 1
		}
	}
	return 0
}
