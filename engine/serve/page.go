package serve

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"
)

//go:embed page
var pageFiles embed.FS

// pageScripts are the parts of the page's script, in the order in which they stand in it.
var pageScripts = []string{"ask.js", "try.js", "show.js", "live.js", "start.js"}

// page is the page at /: one HTML file that fetches nothing but this server's own paths. Its
// style and its script are in it, and its policy allows those two by their hashes, and no others.
type page struct {
	html   []byte
	policy string
	tag    string
}

// newPage puts the page together.
func newPage() *page {
	style := pageFile("page.css")
	var script strings.Builder
	for _, name := range pageScripts {
		script.WriteString(pageFile(name))
	}
	html := strings.NewReplacer("{{style}}", style, "{{script}}", script.String()).Replace(pageFile("page.html"))
	return &page{
		html: []byte(html),
		policy: fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
			hashOf(script.String()), hashOf(style)),
		tag: fmt.Sprintf("%q", hashOf(html)),
	}
}

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

// ServeHTTP answers GET and HEAD. The page has no secret in it, so that it needs no key.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache") // another program may come to this address; the tag saves sending it again
	h.Set("ETag", p.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.html))
}
