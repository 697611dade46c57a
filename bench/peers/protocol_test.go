package peers

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// A null among the scores is none, and not a score of 0.
func TestAnswersHoldNumbers(t *testing.T) {
	var a answer
	if err := json.Unmarshal([]byte(`{"scores":[1.5,-2e3,0],"latency_seconds":null}`), &a); err != nil || !slices.Equal(a.Scores, numbers{1.5, -2000, 0}) || a.Latencies != nil {
		t.Errorf("%+v, %v", a, err)
	}
	for text, want := range map[string]string{
		`{"scores":[1,null]}`:                          "null in the place of number 2 of 2",
		`{"scores":[1],"latency_seconds":[null,null]}`: "null in the place of number 1 of 2",
		`{"scores":["1"]}`:                             "string",
	} {
		if err := json.Unmarshal([]byte(text), new(answer)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
