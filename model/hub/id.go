package hub

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// ErrID marks a name that cannot be a Hugging Face id or revision.
var ErrID = errors.New("not a hub id")

const (
	maxPart     = 96  // bytes in an id's organisation or name, as the hub allows
	maxRevision = 255 // bytes in a revision
	commitLen   = 40  // hex digits of a commit
	minPrefix   = 7   // hex digits from which a commit may be abbreviated
)

// ParseID splits "org/name", "name" or either with "@revision" into the id and
// the revision (a branch, tag or commit; "" when absent). What it returns is
// safe to use in a path: no "..", no separator but the id's one slash and those
// inside a revision, only letters, digits and "._-+/".
func ParseID(s string) (id, revision string, err error) {
	id, revision, pinned := strings.Cut(s, "@")
	parts := strings.Split(id, "/")
	if len(parts) > 2 {
		return "", "", fmt.Errorf("%w: %.200q has %d slashes, an id has at most one (org/name)", ErrID, s, len(parts)-1)
	}
	for _, part := range parts {
		if why := checkPart(part); why != "" {
			return "", "", fmt.Errorf("%w: %.200q: %s", ErrID, s, why)
		}
	}
	if pinned {
		if why := checkRevision(revision); why != "" {
			return "", "", fmt.Errorf("%w: %.200q: revision %s", ErrID, s, why)
		}
	}
	return id, revision, nil
}

// checkPart says what is wrong with one side of an id, by the hub's own rules. (A double
// hyphen is not allowed, because the cache writes the slash as one.)
func checkPart(part string) string {
	switch {
	case part == "":
		return "an empty name"
	case len(part) > maxPart:
		return fmt.Sprintf("a name of %d bytes, at most %d", len(part), maxPart)
	case strings.Trim(part, "-.") != part:
		return "a name starts or ends with '-' or '.'"
	case strings.Contains(part, "--") || strings.Contains(part, ".."):
		return `"--" or ".." in a name`
	case strings.HasSuffix(part, ".git"):
		return `a name ends in ".git"`
	}
	return checkRunes(part, "._-")
}

// checkRevision says what is wrong with a revision. It becomes a path below
// refs/, so its parts must be plain names on every system.
func checkRevision(rev string) string {
	switch {
	case rev == "":
		return "is empty"
	case len(rev) > maxRevision:
		return fmt.Sprintf("has %d bytes, at most %d", len(rev), maxRevision)
	case strings.Contains(rev, ".."):
		return `holds ".."`
	}
	for part := range strings.SplitSeq(rev, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasPrefix(part, "-") || strings.HasSuffix(part, ".") {
			return fmt.Sprintf("has a part %q", part)
		}
	}
	if !filepath.IsLocal(filepath.FromSlash(rev)) { // such as CON and NUL on Windows
		return "is no file name on this system"
	}
	return checkRunes(rev, "._-+/")
}

// checkRunes names the first byte of s that is not a letter, a digit or in also.
func checkRunes(s, also string) string {
	for _, r := range s {
		if !isLetter(r) && !('0' <= r && r <= '9') && !strings.ContainsRune(also, r) {
			return fmt.Sprintf("character %q", r)
		}
	}
	return ""
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

// IsCommit reports whether s is a full commit: 40 lower-case hex digits.
func IsCommit(s string) bool { return len(s) == commitLen && isHex(s) }

// isHex reports whether every byte of s is a lower-case hex digit.
func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == ""
}

// Spellings returns id and, for the ms-marco rerankers, its other spelling: the
// hub renamed ms-marco-MiniLM-L-6-v2 to ms-marco-MiniLM-L6-v2 and serves both,
// so caches hold either. The given spelling comes first.
func Spellings(id string) []string {
	name := id[strings.LastIndexByte(id, '/')+1:]
	at := strings.LastIndex(name, "-L")
	if !strings.HasPrefix(name, "ms-marco-") || at < 0 {
		return []string{id}
	}
	head, tail := id[:len(id)-len(name)+at+len("-L")], name[at+len("-L"):]
	digits, hyphened := strings.CutPrefix(tail, "-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' {
		return []string{id}
	}
	if hyphened {
		return []string{id, head + digits}
	}
	return []string{id, head + "-" + digits}
}
