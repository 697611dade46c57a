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

// The special tokens stand where BERT's uncased vocabulary has them.
const (
	padID, unkID, clsID, sepID, maskID = 0, 100, 101, 102, 103

	specialEntries = 104
)

// Vocab returns a vocabulary of n entries: the embedded one, which has 30,522;
// more are unused ones. Fewer are the first n of its ASCII entries, followed by
// the others, so that a small vocabulary has words and pieces of words before it
// has the characters of other scripts.
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
