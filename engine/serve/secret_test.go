package serve

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"regexp"
	"testing"
)

// No text of a request gets into the log or into an error, and no answer has a null but those
// that text-embeddings-inference has too.
func TestGoldensKeepSecrets(t *testing.T) {
	words := regexp.MustCompile(`museums|Berlin|river|rains|shines|wörld|b b b`)
	null := regexp.MustCompile(`[:,\[]null`)
	nulls := map[string]bool{"/tokenize": true, "/info": true}
	var log bytes.Buffer
	logger := Logger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	models := openAll(t)
	for _, file := range goldenFiles(t) {
		for _, g := range goldens(t, file) {
			w := g.send(t, models, logger)
			if w.Code >= 400 && words.Match(w.Body.Bytes()) {
				t.Errorf("%s: %s: an error has a text of the request: %s", file, g.Name, w.Body)
			}
			var compact bytes.Buffer
			if json.Compact(&compact, w.Body.Bytes()) == nil && null.Match(compact.Bytes()) && !nulls[g.Request.Path] {
				t.Errorf("%s: %s: null in %s", file, g.Name, w.Body)
			}
		}
	}
	if log.Len() == 0 || words.Match(log.Bytes()) {
		t.Errorf("the log is empty, or has a text:\n%s", words.FindAll(log.Bytes(), 3))
	}
}
