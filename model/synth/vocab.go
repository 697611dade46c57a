package synth

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed vocab.txt
var vocabFile string

// The special tokens stand where BERT's uncased vocabulary has them.
const (
	padID, unkID, clsID, sepID, maskID = 0, 100, 101, 102, 103

	specialEntries = 104
)

// Vocab returns the first n entries of the embedded vocabulary, which has
// 30,522, followed by unused ones if n is larger.
func Vocab(n int) []string {
	vocab := strings.Split(strings.TrimSuffix(vocabFile, "\n"), "\n")
	for i := 99; len(vocab) < n; i++ {
		vocab = append(vocab, fmt.Sprintf("[unused%d]", i))
	}
	return vocab[:n]
}
