package serve

import "strings"

// inside is the prefix of a WordPiece that continues a word.
const inside = "##"

// tidy takes out spaces that a text has not had before punctuation and contractions, as the
// libraries' decoder does with each token of an English text.
var tidy = strings.NewReplacer(
	" .", ".", " ?", "?", " !", "!", " ,", ",", " ' ", "'", " n't", "n't", " 'm", "'m", " do not", " don't",
	" 's", "'s", " 've", "'ve", " 're", "'re",
)

// detokenize makes texts of ids. An id that the vocabulary does not have stands for nothing.
func (m *served) detokenize(q *question, a *answer) {
	t := m.Engine.Tokenizer()
	a.texts = make([]string, len(q.ids))
	for i, ids := range q.ids {
		var text strings.Builder
		for _, id := range ids {
			piece := t.Token(id)
			switch {
			case piece == "" || q.bare && t.Special(id):
			case text.Len() == 0:
				text.WriteString(tidy.Replace(piece))
			case strings.HasPrefix(piece, inside):
				text.WriteString(tidy.Replace(piece[len(inside):]))
			default:
				text.WriteString(tidy.Replace(" " + piece))
			}
		}
		a.texts[i] = text.String()
		a.stats.Tokens += len(ids)
	}
}
