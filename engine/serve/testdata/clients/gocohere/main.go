// Command gocohere is Cohere's library for Go, in the place of one of the programs beside
// it; cases.py says what they do. It is a module of its own, so that the project needs
// nothing of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"

	cohere "github.com/cohere-ai/cohere-go/v2"
	"github.com/cohere-ai/cohere-go/v2/client"
	"github.com/cohere-ai/cohere-go/v2/core"
)

// question is what the test has to ask, and where.
type question struct {
	URL, Key, Model, Query string
	Documents, Long        []string
}

type answer struct {
	Order     []int     `json:"order,omitempty"`
	Scores    []float64 `json:"scores,omitempty"`
	Documents []string  `json:"documents,omitempty"`
	Error     string    `json:"error,omitempty"` // the error's type
	Text      string    `json:"text,omitempty"`
	Status    int       `json:"status,omitempty"`
}

func main() {
	log.SetFlags(0)
	control := os.Args[1]
	var ask question
	if err := get(control, &ask); err != nil {
		log.Fatal(err)
	}
	answers := map[string]answer{}
	try := func(name string, f func() (answer, error)) {
		post(control + "/begin/" + url.PathEscape(name))
		a, err := f()
		if err != nil {
			a = failed(err)
		}
		post(control + "/end/" + url.PathEscape(name))
		answers[name] = a
	}
	for name, rank := range map[string]func(key string, documents []string, top *int) (answer, error){"v1": ask.v1, "v2": ask.v2} {
		two := 2
		try(name+" ranked", func() (answer, error) { return rank(ask.Key, ask.Documents, nil) })
		try(name+" top", func() (answer, error) { return rank(ask.Key, ask.Documents, &two) })
		try(name+" long", func() (answer, error) { return rank(ask.Key, ask.Long, nil) })
		try(name+" empty", func() (answer, error) { return rank(ask.Key, []string{}, nil) })
		try(name+" key", func() (answer, error) { return rank("wrong", ask.Documents, nil) })
		try(name+" busy", func() (answer, error) { return rank(ask.Key, ask.Documents, nil) })
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"versions": versions(), "answers": answers}); err != nil {
		log.Fatal(err)
	}
}

func (q question) client(key string) *client.Client {
	return client.NewClient(client.WithToken(key), client.WithBaseURL(q.URL))
}

func (q question) v1(key string, documents []string, top *int) (answer, error) {
	request := &cohere.RerankRequest{Model: &q.Model, Query: q.Query, TopN: top}
	for _, d := range documents {
		request.Documents = append(request.Documents, &cohere.RerankRequestDocumentsItem{String: d})
	}
	yes := true
	request.ReturnDocuments = &yes
	got, err := q.client(key).Rerank(context.Background(), request)
	if err != nil {
		return answer{}, err
	}
	var a answer
	for _, r := range got.Results {
		a.Order, a.Scores, a.Documents = append(a.Order, r.Index), append(a.Scores, r.RelevanceScore), append(a.Documents, r.Document.Text)
	}
	return a, nil
}

func (q question) v2(key string, documents []string, top *int) (answer, error) {
	got, err := q.client(key).V2.Rerank(context.Background(), &cohere.V2RerankRequest{Model: q.Model, Query: q.Query, Documents: documents, TopN: top})
	if err != nil {
		return answer{}, err
	}
	var a answer
	for _, r := range got.Results {
		a.Order, a.Scores = append(a.Order, r.Index), append(a.Scores, r.RelevanceScore)
	}
	return a, nil
}

// failed is an error as its caller can tell it: by its type, its status and its text.
func failed(err error) answer {
	a := answer{Error: fmt.Sprintf("%T", err), Text: err.Error()}
	var status *core.APIError
	if errors.As(err, &status) {
		a.Status = status.StatusCode
	}
	return a
}

func versions() map[string]string {
	found := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/cohere-ai/cohere-go/v2" {
				found[m.Path] = m.Version
			}
		}
	}
	return found
}

func get(address string, into any) error {
	r, err := http.Get(address)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	return json.NewDecoder(r.Body).Decode(into)
}

func post(address string) {
	r, err := http.Post(address, "", nil)
	if err != nil {
		log.Fatal(err)
	}
	r.Body.Close()
}
