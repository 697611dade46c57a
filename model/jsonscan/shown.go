package jsonscan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// IsNull reports whether a value that encoding/json has left raw is null.
func IsNull(raw []byte) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }

// SaysNothing reports whether a value is null, false or empty, as options are written that
// are not in use.
func SaysNothing(raw []byte) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "null", "false", "{}", "[]", `""`:
		return true
	}
	return false
}

// Unknown returns the names of an object's members that are not among known, sorted. One
// that says nothing is not among them: so a library writes an option that is not in use.
func Unknown(object map[string]json.RawMessage, known []string) (names []string) {
	for name, raw := range object {
		if !slices.Contains(known, name) && !SaysNothing(raw) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Quoted lists names as errors and warnings have them: in quotes, and the first most of
// them.
func Quoted(names []string, most int) string {
	var all []string
	for i, name := range names {
		if i == most {
			all = append(all, "...")
			break
		}
		all = append(all, fmt.Sprintf("%.80q", name))
	}
	return strings.Join(all, ", ")
}

// Shown is the JSON of a value on one line, as far as it fits in an error.
func Shown(raw []byte) string {
	const most = 60
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return fmt.Sprintf("%.*q", most, raw) // no JSON at all
	}
	if b.Len() <= most {
		return b.String()
	}
	return string(bytes.ToValidUTF8(b.Bytes()[:most], nil)) + "..."
}
