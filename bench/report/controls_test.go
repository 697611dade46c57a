package report

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

// setTexts makes every text of a value text, with its place in it.
func setTexts(v reflect.Value, text string, place string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			setTexts(v.Elem(), text, place)
		}
	case reflect.Slice:
		for i := range v.Len() {
			setTexts(v.Index(i), text, place)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				setTexts(v.Field(i), text, place+f.Name)
			}
		}
	case reflect.String:
		v.SetString(place + text)
	}
}

// No text of a recording, whatever it is of, brings a character that controls into a page or
// the markdown, which terminals show: its picture is there instead.
func TestControlCharacters(t *testing.T) {
	const text = "\x00\x01\x1b[2J\x7f\u0085\u009b31m\ufffe\xff"
	for i, rec := range []*recording.Recording{recordingtest.SeedLike(), recordingtest.Loads(), recordingtest.Loaded(), recordingtest.Mixed(), recordingtest.Flooded()} {
		r := Derive(rec)
		setTexts(reflect.ValueOf(r).Elem(), text, "")
		r.Withheld = ""
		var page, lines bytes.Buffer
		if err := errors.Join(r.WriteHTML(&page), r.WriteMarkdown(&lines)); err != nil {
			t.Fatal(err)
		}
		for form, b := range map[string]string{"page": page.String(), "markdown": lines.String()} {
			if at := strings.IndexFunc(b, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' || r == '\ufffe' }); at >= 0 {
				t.Errorf("%d, %s: %q", i, form, b[max(0, at-60):min(len(b), at+20)])
			}
			if !strings.Contains(b, "ModelID\u2400\u2401\u241b[2J\u2421") {
				t.Errorf("%d, %s: no picture of NUL in\n%.900s", i, form, b)
			}
		}
	}
}
