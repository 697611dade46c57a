package jsonscan

import (
	"bytes"
	"encoding/json"
	"fmt"
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
