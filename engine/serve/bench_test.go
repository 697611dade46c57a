package serve

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// What HTTP adds to the engine: a request of 32 passages of a kilobyte each, beside Score alone,
// and one of a single short pair. The model is tiny; with a real one the engine's share is a
// hundred times larger, and HTTP's the same.
func BenchmarkRerank(b *testing.B) {
	passage := strings.Repeat("Berlin has many museums, ", 41)[:1024]
	for _, n := range []int{1, 32} {
		texts := make([]string, n)
		for i := range texts {
			texts[i] = passage
			if n == 1 {
				texts[i] = "A river."
			}
		}
		eng := enginetest.Open(b)
		pairs := pairsOf("How many museums are there?", texts)
		b.Run(fmt.Sprintf("engine/%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := eng.Score(b.Context(), nil, pairs); err != nil {
					b.Fatal(err)
				}
			}
		})
		h := handler(b)
		if err := h.Use(Model{"tiny", eng}); err != nil {
			b.Fatal(err)
		}
		body := fmt.Sprintf(`{"query": "How many museums are there?", "texts": %s}`, asJSON(0, texts).body)
		b.Run(fmt.Sprintf("handler/%d", n), func(b *testing.B) {
			for b.Loop() {
				if w := send(h, "POST", "/rerank", body); w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
		s := httptest.NewServer(h)
		defer s.Close()
		b.Run(fmt.Sprintf("http/%d", n), func(b *testing.B) {
			for b.Loop() {
				p, err := s.Client().Post(s.URL+"/rerank", jsonType, strings.NewReader(body))
				if err != nil || p.StatusCode != 200 {
					b.Fatal(err)
				}
				if err := p.Body.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
