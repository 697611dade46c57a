package serve

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

//go:embed page
var pageFiles embed.FS

// pageScripts are the parts of the page's script, in the order in which they stand in it.
var pageScripts = []string{"ask.js", "try.js", "show.js", "live.js", "start.js"}

// page is the page at /: one HTML file, which fetches nothing but this server's own paths. Its
// style and its script are in it, and its policy allows these two by their hashes, and no others.
var page = sync.OnceValue(func() reply {
	style := pageFile("page.css")
	var script strings.Builder
	for _, name := range pageScripts {
		script.WriteString(pageFile(name))
	}
	html := strings.NewReplacer("{{style}}", style, "{{script}}", script.String()).Replace(pageFile("page.html"))
	h := http.Header{}
	h.Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		hashOf(script.String()), hashOf(style)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache") // another version of this program may come to the address
	return reply{status: http.StatusOK, content: "text/html; charset=utf-8", body: []byte(html), headers: h}
})

// pageFile is a part of the page, as it is in the program.
func pageFile(name string) string {
	text, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic(err) // it was there when the program was built
	}
	return string(text)
}

// hashOf is a text's hash as Content-Security-Policy has it.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// modelFacts are what the page says of a model, and what it makes its form by.
type modelFacts struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"` // as the key of text-embeddings-inference's model_type
	Device     string `json:"device"`
	Precision  string `json:"precision"`
	MaxLength  int    `json:"max_input_length"`
	Dimensions int    `json:"dimensions,omitempty"`
	Labels     int    `json:"labels,omitempty"`
}

func (h *Handler) modelFacts() (all []modelFacts) {
	kinds := map[task]string{scoring: "reranker", embedding: "embedding", classifying: "classifier"}
	for _, m := range *h.models.Load() {
		all = append(all, modelFacts{m.Name, kinds[m.does], m.info.Device, m.info.Precision, m.info.MaxLength, m.info.Dimensions, len(m.info.Labels)})
	}
	return all
}
