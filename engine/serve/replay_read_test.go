package serve_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// How the code of replays reads answers.

// listed is an element of an answer that is a list, of text-embeddings-inference or of SGLang.
type listed struct {
	Index *int
	Score *float32
	Text  *string
}

// listScores wants each document once, best first, with its text or without.
func listScores(withText bool, of func(float32) float32) func(*stage, []byte) error {
	return func(s *stage, body []byte) error {
		var got []listed
		if err := json.Unmarshal(body, &got); err != nil {
			return err
		}
		a := told{}
		for _, item := range got {
			if item.Index == nil || item.Score == nil || (item.Text != nil) != withText {
				return fmt.Errorf("an item lacks something, or has a text")
			}
			a.Order, a.Scores = append(a.Order, *item.Index), append(a.Scores, float64(*item.Score))
			if withText {
				a.Documents = append(a.Documents, *item.Text)
			}
		}
		return ranking(docs, 0, of)(s, a)
	}
}

// cohereScores wants each document once, by index.
func cohereScores(of func(float32) float32) func(*stage, []byte) error {
	return func(s *stage, body []byte) error {
		var got struct {
			ID      string
			Results []struct {
				Index *int
				Score *float32 `json:"relevance_score"`
			}
		}
		if err := json.Unmarshal(body, &got); err != nil {
			return err
		}
		if got.ID == "" {
			return fmt.Errorf("no id")
		}
		a := told{}
		for _, item := range got.Results {
			if item.Index == nil || item.Score == nil {
				return fmt.Errorf("an item lacks something")
			}
			a.Order, a.Scores = append(a.Order, *item.Index), append(a.Scores, float64(*item.Score))
		}
		return ranking(docs, 0, of)(s, a)
	}
}

func weaviateScores(s *stage, body []byte) error {
	var got struct {
		Query  string
		Scores []struct {
			Document string
			Score    float64
		}
		Error string
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return err
	}
	a := told{}
	for i, item := range got.Scores {
		if item.Document != s.ask.Documents[i] {
			return fmt.Errorf("document %d is %q", i, item.Document)
		}
		a.InOrder = append(a.InOrder, item.Score)
	}
	return inOrder(docs, itself)(s, a)
}

func weaviateError(_ *stage, body []byte) error { return stringOf("error")(nil, body) }

// stringOf wants an object with a string that is not empty.
func stringOf(field string) func(*stage, []byte) error {
	return func(_ *stage, body []byte) error {
		var got map[string]any
		if err := json.Unmarshal(body, &got); err != nil {
			return err
		}
		if text, _ := got[field].(string); text == "" {
			return fmt.Errorf("field %q is no string among %v", field, slices.Collect(maps.Keys(got)))
		}
		return nil
	}
}

// rowsOf wants an array of so many values.
func rowsOf[T any](n int) func(*stage, []byte) error {
	return func(_ *stage, body []byte) error {
		var got []T
		if err := json.Unmarshal(body, &got); err != nil {
			return err
		}
		if len(got) != n {
			return fmt.Errorf("%d values, want %d", len(got), n)
		}
		return nil
	}
}

// resultsOf wants so many results.
func resultsOf(n int) func(*stage, []byte) error {
	return func(_ *stage, body []byte) error {
		var got struct{ Results []json.RawMessage }
		if err := json.Unmarshal(body, &got); err != nil {
			return err
		}
		if len(got.Results) != n {
			return fmt.Errorf("%d results, want %d", len(got.Results), n)
		}
		return nil
	}
}

func contains(texts ...string) func(*stage, []byte) error {
	return func(_ *stage, body []byte) error {
		for _, text := range texts {
			if !bytes.Contains(body, []byte(text)) {
				return fmt.Errorf("%s is not in it", text)
			}
		}
		return nil
	}
}

func nothing(_ *stage, body []byte) error {
	if len(body) > 0 {
		return fmt.Errorf("a body, want none")
	}
	return nil
}

type difyToken struct {
	ID          *int
	Text        *string
	Special     *bool
	Start, Stop *int // of special tokens there is neither
}

// difyInfo wants the first key of model_type, and the numbers that Dify takes over.
func difyInfo(first string) func(*stage, []byte) error {
	return func(_ *stage, body []byte) error {
		var got struct {
			Type   json.RawMessage `json:"model_type"`
			Length int             `json:"max_input_length"`
			Batch  int             `json:"max_client_batch_size"`
		}
		if err := json.Unmarshal(body, &got); err != nil {
			return err
		}
		if !bytes.HasPrefix(got.Type, []byte(`{"`+first+`":`)) || got.Length != 512 || got.Batch < 32 {
			return fmt.Errorf("model_type %s, %d tokens, %d texts", got.Type, got.Length, got.Batch)
		}
		return nil
	}
}
