package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"testing"
)

// A server of embeddings is found last, at either of its paths; it gets the query first and
// once, and the score of each text is the cosine, whatever the order of the answer.
func TestEmbeddings(t *testing.T) {
	for _, path := range []string{"/v1/embeddings", "/embeddings"} {
		c := serve(t, Options{Key: "secret", Model: "mine"}, func(w http.ResponseWriter, r *http.Request) {
			var body embedRequest
			if r.URL.Path != path || json.NewDecoder(r.Body).Decode(&body) != nil || r.Header.Get("Authorization") != "Bearer secret" {
				http.NotFound(w, r)
				return
			}
			if body.Model != "mine" || body.Encoding != "float" || body.Input[0] != "q" && body.Input[0] != "a" {
				t.Errorf("request %+v", body)
			}
			// The query is [2 0], the first text at a right angle to it, the next against it.
			vectors := []string{"[2,0]", "[0, 3e-1]", "[-5 , 0]", "[1,1]"}
			entries := `{"object":"list","data":[`
			for i := range slices.Backward(body.Input) {
				entries += fmt.Sprintf(`{"object":"embedding","embedding":%s,"index":%d},`, vectors[i], i)
			}
			fmt.Fprint(w, entries[:len(entries)-1]+`],"model":"mine"}`)
		})
		if err := c.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a := c.About(); a.Dialect != OpenAI || a.Path != path || !a.Probed || !a.Embeds() || a.Model != "mine" {
			t.Errorf("found %+v", a)
		}
		got, err := c.Scores(t.Context(), "q", []string{"x", "y", "z"})
		if err != nil || len(got) != 3 || got[0] != 0 || got[1] != -1 || math.Abs(got[2]-math.Sqrt(0.5)) > 1e-15 {
			t.Errorf("%v, %v", got, err)
		}
	}
}

// Each answer that is not an embedding of every text has its kind.
func TestEmbeddingKinds(t *testing.T) {
	for answer, want := range map[string]string{
		`{"data":[{"index":0,"embedding":[1]}]}`:                                                         KindCount,
		`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]},{"index":2,"embedding":[1]}]}`: KindCount,
		`{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`:                             KindCount,
		`{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}`:                             KindCount,
		`{"data":[{"index":0,"embedding":[1]},{"index":-1,"embedding":[1]}]}`:                            KindCount,
		`{"data":[{"index":0,"embedding":[1]},{"embedding":[1]}]}`:                                       KindBody,
		`{"data":[{"index":0,"embedding":[1]},{"index":1}]}`:                                             KindBody,
		`{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}`:                               KindBody,
		`{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1]}]}`:                           KindBody,
		`{"data":[{"index":0,"embedding":[0]},{"index":1,"embedding":[1]}]}`:                             KindBody,
		`{"data":[{"index":0,"embedding":[1e200]},{"index":1,"embedding":[1e200]}]}`:                     KindBody,
		`{"data":[{"index":0,"embedding":[1e999]},{"index":1,"embedding":[1]}]}`:                         KindBody,
		`{"data":[{"index":0,"embedding":[null]},{"index":1,"embedding":[1]}]}`:                          KindBody,
		`{"data":[{"index":0,"embedding":null},{"index":1,"embedding":[1]}]}`:                            KindBody,
		`{"data":[{"index":0,"embedding":["1"]},{"index":1,"embedding":[1]}]}`:                           KindBody,
		`{"data":[{"index":0,"embedding":[[1]]},{"index":1,"embedding":[[1]]}]}`:                         KindBody, // one vector a token
		`{"data":[{"index":0,"embedding":"AACAPw=="},{"index":1,"embedding":"AACAPw=="}]}`:               KindBody, // base64
		`{"data":{"index":0,"embedding":[1]}}`:                                                           KindBody,
		`[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]}]`:                                      KindBody,
		`{"error":{"message":"x","type":"x","code":400}}`:                                                KindCount,
		`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1`:                                 KindBody,
		`{"data":[{"index":0,"embedding":{"values":[1]}},{"index":1,"embedding":[1]}]}`:                  KindBody,
		`{"data":[{"index":"0","embedding":[1]},{"index":1,"embedding":[1]}]}`:                           KindBody,
		`{"data":[{"index":0,"embedding":[true]},{"index":1,"embedding":[1]}]}`:                          KindBody,
		`{"data":[{"index":0,"embedding":[1,,1]},{"index":1,"embedding":[1]}]}`:                          KindBody,
		`{"data":[{"index":0.5,"embedding":[1]},{"index":1,"embedding":[1]}]}`:                           KindBody,
		`{"data":[{"index":0,"embedding":[NaN]},{"index":1,"embedding":[1]}]}`:                           KindBody,
		`{"data":[{"index":0,"embedding":[5e-324]},{"index":1,"embedding":[1]}]}`:                        KindBody,
	} {
		c := serve(t, Options{}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) })
		got, err := c.embed(t.Context(), "/v1/embeddings", "q", []string{"a"})
		if of := (*Error)(nil); !errors.As(err, &of) || of.Kind != want {
			t.Errorf("%s: %v, %v; want %s", answer, got, err, want)
		}
	}
}
