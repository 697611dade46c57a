package chromium

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// What ends before it says a word is no browser, and nobody waits for it.
func TestNoBrowser(t *testing.T) {
	if b, err := Start(t.Context(), os.Args[0]); err == nil { // this program does not know the flags
		b.Close()
		t.Error("it has started")
	}
}

// A page that crashes is an error, of this call and those that follow. A browser leaves no files.
func TestCrash(t *testing.T) {
	path := Find()
	switch {
	case testing.Short():
		t.Skip("a browser takes its time")
	case path == "":
		t.Skip("there is no Chromium here (Debian: chromium-headless-shell)")
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	b, err := Start(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	page := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(page, []byte("<script>var answer = 42</script>"), 0o600); err != nil {
		t.Fatal(err)
	}
	answer := 0
	if err := errors.Join(b.Open("file://"+page, View{Width: 100, Height: 100}), b.Eval("answer", &answer)); err != nil || answer != 42 {
		t.Errorf("%d, %v", answer, err)
	}
	if err := b.Open("file://"+page+".none", View{Width: 100, Height: 100}); err == nil {
		t.Error("a page that is not there is open")
	}
	for range 2 {
		if err := b.call("Page.crash", nil, nil); !errors.Is(err, errCrashed) {
			t.Errorf("after the crash: %v", err)
		}
	}
	b.Close()
	if left, err := filepath.Glob(filepath.Join(dir, "chromium*")); err != nil || len(left) > 0 {
		t.Errorf("it has left %q, %v", left, err)
	}
}
