package remote

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkClient is a request to a server that computes nothing, over the loopback: what of
// every latency is the client's, the system's and net/http's on either side. Allocations are
// of both sides. The texts are as long as the built-in ones, and an embedding has 384 numbers.
func BenchmarkClient(b *testing.B) {
	numbers := make([]string, 384)
	for i := range numbers {
		numbers[i] = fmt.Sprint(rand.Float64()*2 - 1)
	}
	embedding := "[" + strings.Join(numbers, ",") + "]"
	for _, d := range []struct {
		dialect, path        string
		open, entry, closing string
	}{
		{TEI, "/rerank", "[", `{"index":%d,"score":0.123456789}`, "]"},
		{Cohere, "/rerank", `{"results":[`, `{"relevance_score":0.123456789,"index":%d,"document":null}`, "]}"},
		{OpenAI, "/embeddings", `{"data":[`, `{"object":"embedding","index":%d,"embedding":` + embedding + "}", "]}"},
	} {
		for _, passages := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/passages=%d", d.dialect, passages), func(b *testing.B) {
				entries := make([]string, passages)
				if d.dialect == OpenAI { // and the query
					entries = append(entries, "")
				}
				for i := range entries {
					entries[i] = fmt.Sprintf(d.entry, i)
				}
				answer := []byte(d.open + strings.Join(entries, ",") + d.closing)
				c := serve(b, Options{Connections: 1}, func(w http.ResponseWriter, _ *http.Request) { w.Write(answer) })
				for _, t := range targets {
					if t.dialect == d.dialect && t.path == d.path {
						c.target = t
					}
				}
				texts := make([]string, passages)
				for i := range texts {
					texts[i] = strings.Repeat("of these words ", 22)
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Scores(b.Context(), "how many words has a query", texts); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
