package jsonscan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// IsNull reports whether a raw value of encoding/json is null.
func IsNull(raw []byte) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }

// SaysNothing reports whether a value is null, false or empty, which is how options are
// written that are not used.
func SaysNothing(raw []byte) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "null", "false", "{}", "[]", `""`:
		return true
	}
	return false
}

// Unknown returns the names of an object's members that are not in known, sorted. It leaves
// out members whose value says nothing, since libraries write options like this that are
// not used.
func Unknown(object map[string]json.RawMessage, known []string) (names []string) {
	for name, raw := range object {
		if !slices.Contains(known, name) && !SaysNothing(raw) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Quoted lists the first most names, in quotes, for errors and warnings.
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

// Shown returns the JSON of a value on one line, shortened, for errors.
func Shown(raw []byte) string {
	const most = 60
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return fmt.Sprintf("%.*q", most, raw) // not JSON
	}
	if b.Len() <= most {
		return b.String()
	}
	return string(bytes.ToValidUTF8(b.Bytes()[:most], nil)) + "..."
}
