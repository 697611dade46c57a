package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ReadJSON decodes data into v. An error names the line and the field at which the decoder
// stopped.
func ReadJSON(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	line := func(offset int64) int {
		return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte("\n"))
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("line %d: %w", line(e.Offset), err)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		name := strings.ReplaceAll(e.Field, "Config.", "") // embedded: it has no name in the file
		return fmt.Errorf("line %d: field %q: %s is no %v", line(e.Offset), name, e.Value, e.Type)
	}
	return err
}
