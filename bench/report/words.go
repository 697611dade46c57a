package report

import (
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// The format of reports speaks of pairs and their scores, and so does every sentence here. Of a
// run that embeds texts, Words says the same of those: the titles of report.md and of the page
// differ by these words alone, and fields of JSON and columns of CSV keep their names.
var ofTexts = strings.NewReplacer(
	" p/s", " texts/s",
	"pair orders", "orders of neighbours", "Pair orders", "Orders of neighbours",
	"pair", "text", "Pair", "Text",
	"scored", "embedded", "scores", "embeddings", "score", "embedding",
	"Scored", "Embedded", "Scores", "Embeddings", "Score", "Embedding",
	"logit", "cosine", "Logit", "Cosine",
)

var ofPairs = strings.NewReplacer("texts/s", "pairs/s", "Texts", "Pairs", "texts", "pairs")

// Words returns a sentence, a title or a name of this program's own in the words of the report's
// task. It must not be given what others have named.
func (r *Report) Words(text string) string {
	if r.Task != recording.TaskEmbed {
		return text
	}
	return ofTexts.Replace(text)
}

// WordsOfPairs takes back what Words has done to a title, for those that read it.
func WordsOfPairs(title string) string { return ofPairs.Replace(title) }
