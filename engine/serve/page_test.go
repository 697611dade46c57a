package serve

import (
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page is one file: its policy allows the style and the script that are in it and no others,
// and it asks nobody but its own server.
func TestPage(t *testing.T) {
	h := handler(t) // without a model: the page says so by itself
	w := send(h, http.MethodGet, "/", "")
	html := w.Body.String()
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, element := range []string{"style", "script"} {
		all := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(html, -1)
		if len(all) != 1 {
			t.Fatalf("%d elements %q", len(all), element)
		}
		if want := element + "-src '" + hashOf(all[0][1]) + "';"; !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	for _, want := range []string{"default-src 'none';", "connect-src 'self';", "form-action 'none';", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(html, "{{") {
		t.Errorf("policy %q, page\n%s", policy, html)
	}
	// What would be asked for elsewhere, or would put text into the page as HTML, or run it.
	foreign := strings.ReplaceAll(html, "http://www.w3.org/2000/svg", "")
	for _, never := range []string{"http:", "https:", "src=", "@import", "url(", "innerHTML", "insertAdjacentHTML", "eval(", "localStorage", "sessionStorage", "document.cookie", " style=", " onclick="} {
		if strings.Contains(foreign, never) {
			t.Errorf("the page has %q", never)
		}
	}
	for _, want := range []string{`<html lang="en">`, `href="openapi.yaml"`, `href="metrics"`, `href="info"`, "<noscript>", `name="viewport"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if head := send(h, http.MethodHead, "/", ""); head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("Content-Length") != w.Header().Get("Content-Length") {
		t.Errorf("HEAD: %d, %d bytes, %v", head.Code, head.Body.Len(), head.Header())
	}
}

// Every file of the page's folder is in the page.
func TestPageHasItsFiles(t *testing.T) {
	want := append([]string{"page.css", "page.html"}, pageScripts...)
	slices.Sort(want)
	var got []string
	entries, err := fs.ReadDir(pageFiles, "page")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the folder has %q, the page is made of %q", got, want)
	}
}
