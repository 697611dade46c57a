package hub

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseID(t *testing.T) {
	commit := strings.Repeat("0a", 20)
	for _, c := range []struct{ in, id, revision string }{
		{"cross-encoder/ms-marco-MiniLM-L-6-v2", "cross-encoder/ms-marco-MiniLM-L-6-v2", ""},
		{"bert-base-uncased", "bert-base-uncased", ""},
		{"a/b@main", "a/b", "main"},
		{"a/b@" + commit, "a/b", commit},
		{"a/b@refs/pr/1", "a/b", "refs/pr/1"},
		{"a_b/c.d@v1.0+cu", "a_b/c.d", "v1.0+cu"},
	} {
		id, revision, err := ParseID(c.in)
		if err != nil || id != c.id || revision != c.revision {
			t.Errorf("ParseID(%q) = %q, %q, %v; want %q, %q", c.in, id, revision, err, c.id, c.revision)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	for _, in := range []string{
		"", "/", "a/", "/a", "a/b/c", "a//b", "..", "../x", "a/..", "a/.", "./a", "/etc/passwd",
		`a\b`, `..\x`, `C:\x`, "C:x", "a b", "a/b?", "a%2fb", "a--b/c", "a..b", "a/b.git", "-a/b", "a/b-", "a/.b",
		"é/b", "a/b\x00", "a/b\n", "a/" + strings.Repeat("x", 97),
		"a/b@", "a/b@..", "a/b@../x", "a/b@x/../y", "a/b@/x", "a/b@x/", "a/b@x//y", "a/b@.x", "a/b@x/.y", "a/b@-x",
		`a/b@x\y`, "a/b@a@b", "a/b@x:y", "a/b@x.", "a/b@" + strings.Repeat("x", 256), "a/b@\xff",
	} {
		id, revision, err := ParseID(in)
		if !errors.Is(err, ErrID) || id != "" || revision != "" {
			t.Errorf("ParseID(%q) = %q, %q, %v; want ErrID", in, id, revision, err)
		}
	}
}

func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"a/b", "a/b@main", "a--b", "../x", "a/b@refs/pr/1", "CON/NUL@aux"} {
		f.Add(seed)
	}
	cache := Cache{Dir: filepath.FromSlash("/cache")}
	f.Fuzz(func(t *testing.T, s string) {
		id, revision, err := ParseID(s)
		if err != nil {
			return
		}
		whole := id
		if revision != "" {
			whole += "@" + revision
		}
		if whole != s {
			t.Fatalf("%q parsed as %q", s, whole)
		}
		if folder := cache.Repo(id); filepath.Dir(folder) != filepath.FromSlash("/cache") {
			t.Fatalf("%q leads to %q", s, folder)
		}
		if back, ok := repoID(RepoFolder(id)); !ok || back != id {
			t.Fatalf("folder of %q reads back as %q", id, back)
		}
		if revision != "" && !filepath.IsLocal(filepath.FromSlash(revision)) {
			t.Fatalf("revision %q is not local", revision)
		}
		if again := Spellings(Spellings(id)[len(Spellings(id))-1]); !slices.Contains(again, id) {
			t.Fatalf("the other spelling of %q leads to %q", id, again)
		}
	})
}

func FuzzParseRef(f *testing.F) {
	commit := strings.Repeat("0a", 20)
	for _, seed := range []string{commit, commit + "\n", "../../x", "", strings.ToUpper(commit)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseRef(data)
		if err == nil && (!IsCommit(got) || !strings.HasPrefix(string(data), got)) {
			t.Fatalf("%q read as %q", data, got)
		}
		if err != nil && got != "" {
			t.Fatalf("%q: %q with error %v", data, got, err)
		}
	})
}

func TestSpellings(t *testing.T) {
	for id, other := range map[string]string{
		"cross-encoder/ms-marco-MiniLM-L-6-v2":   "cross-encoder/ms-marco-MiniLM-L6-v2",
		"cross-encoder/ms-marco-MiniLM-L12-v2":   "cross-encoder/ms-marco-MiniLM-L-12-v2",
		"cross-encoder/ms-marco-TinyBERT-L-2-v2": "cross-encoder/ms-marco-TinyBERT-L2-v2",
		"ms-marco-MiniLM-L6-v2":                  "ms-marco-MiniLM-L-6-v2",
	} {
		if got := Spellings(id); !slices.Equal(got, []string{id, other}) {
			t.Errorf("Spellings(%q) = %q, want the other to be %q", id, got, other)
		}
		if got := Spellings(other); !slices.Equal(got, []string{other, id}) {
			t.Errorf("Spellings(%q) = %q, want the other to be %q", other, got, id)
		}
	}
	for _, id := range []string{
		"sentence-transformers/all-MiniLM-L6-v2", // a different family: only one of its spellings exists
		"cross-encoder/ms-marco-electra-base",
		"x/ms-marco-L", "x/ms-marco-L-", "x/ms-marco-Large",
	} {
		if got := Spellings(id); !slices.Equal(got, []string{id}) {
			t.Errorf("Spellings(%q) = %q, want it alone", id, got)
		}
	}
}

func TestPinOf(t *testing.T) {
	for _, id := range []string{"cross-encoder/ms-marco-MiniLM-L-6-v2", "cross-encoder/ms-marco-MiniLM-L6-v2"} {
		pin, ok := PinOf(id)
		if !ok || !IsCommit(pin.Revision) || len(pin.SHA256) != 64 || !isHex(pin.SHA256) {
			t.Errorf("PinOf(%q) = %+v, %t", id, pin, ok)
		}
	}
	if _, ok := PinOf("cross-encoder/ms-marco-MiniLM-L-12-v2"); ok {
		t.Error("another model has the pin")
	}
}
