package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// ReadJSON decodes data into v. An error names the line and the field at which the decoder
// stopped, or wraps ErrCrowded: then nothing was decoded.
func ReadJSON(data []byte, v any) error {
	err := affordable(data, reflect.TypeOf(v).Elem())
	switch {
	case err == nil:
		err = json.Unmarshal(data, v)
	case !errors.Is(err, ErrCrowded):
		// Not JSON, and then the decoder's word for it has the line; or not for everybody, as
		// the escape of half a surrogate pair.
		if invalid := json.Unmarshal(data, new(json.RawMessage)); invalid != nil {
			err = invalid
		}
	}
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
