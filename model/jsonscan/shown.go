package jsonscan

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// IsNull reports whether a value that encoding/json has left raw is null.
func IsNull(raw []byte) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }

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
