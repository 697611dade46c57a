package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// sameDigits is how near two numbers are, as a share, that differ by rounding alone.
const sameDigits = 1e-12

// same says whether two cells or values tell the same number; exact asks for every digit.
func same(have, want string, exact bool) bool {
	if have == want || exact {
		return have == want
	}
	h, errH := strconv.ParseFloat(have, 64)
	w, errW := strconv.ParseFloat(want, 64)
	return errH == nil && errW == nil && math.Abs(h-w) <= sameDigits*math.Abs(w)
}

// verifyCSV compares a table cell by cell.
func verifyCSV(name string, have, want []byte, exact bool) error {
	h, err := csv.NewReader(bytes.NewReader(have)).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w, err := csv.NewReader(bytes.NewReader(want)).ReadAll()
	if err != nil {
		return err
	}
	for i := range max(len(h), len(w)) {
		at := fmt.Sprintf("row %d", i+1)
		switch {
		case i >= len(h):
			return &Mismatch{name, at, "", fmt.Sprintf("%q", w[i])}
		case i >= len(w):
			return &Mismatch{name, at, fmt.Sprintf("%q", h[i]), ""}
		}
		for c := range max(len(h[i]), len(w[i])) {
			at := fmt.Sprintf("row %d, column %d", i+1, c+1)
			if i > 0 && c < len(w[0]) {
				at = fmt.Sprintf("row %d, column %s", i+1, w[0][c])
			}
			switch {
			case c >= len(h[i]):
				return &Mismatch{name, at, "", quote(w[i][c])}
			case c >= len(w[i]):
				return &Mismatch{name, at, quote(h[i][c]), ""}
			case !same(h[i][c], w[i][c], exact):
				return &Mismatch{name, at, h[i][c], w[i][c]}
			}
		}
	}
	return nil
}

// verifyJSON compares two documents value by value, in the order in which they tell them.
func verifyJSON(name string, have, want []byte, exact bool) error {
	v := jsonVerifier{name: name, exact: exact}
	v.have, v.want = json.NewDecoder(bytes.NewReader(have)), json.NewDecoder(bytes.NewReader(want))
	v.have.UseNumber()
	v.want.UseNumber()
	if err := v.value(""); err != nil {
		return err
	}
	if v.have.More() {
		return &Mismatch{name, "behind the end", "more", ""}
	}
	return nil
}

type jsonVerifier struct {
	name       string
	exact      bool
	have, want *json.Decoder
}

// tokens reads one token of each.
func (v *jsonVerifier) tokens() (h, w json.Token, err error) {
	if h, err = v.have.Token(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", v.name, err)
	}
	w, err = v.want.Token()
	return h, w, err
}

// value compares the next value of both, which is at path.
func (v *jsonVerifier) value(path string) error {
	h, w, err := v.tokens()
	if err != nil {
		return err
	}
	where := "field " + path
	open, structured := w.(json.Delim)
	if h != w && !(!structured && same(fmt.Sprint(h), fmt.Sprint(w), v.exact)) {
		return &Mismatch{v.name, where, shown(h), shown(w)}
	}
	if !structured {
		return nil
	}
	for i := 0; ; i++ {
		switch h, w := v.have.More(), v.want.More(); {
		case !h && !w:
			_, _, err := v.tokens() // the end
			return err
		case !h:
			return &Mismatch{v.name, where, "", v.next(v.want, open)}
		case !w:
			return &Mismatch{v.name, where, v.next(v.have, open), ""}
		}
		at := fmt.Sprintf("%s[%d]", path, i)
		if open == '{' {
			h, w, err := v.tokens()
			if err != nil {
				return err
			}
			at = fmt.Sprint(w)
			if path != "" {
				at = path + "." + at
			}
			if h != w {
				return &Mismatch{v.name, "field " + at, "", fmt.Sprintf("it comes here, in the place of %v", h)}
			}
		}
		if err := v.value(at); err != nil {
			return err
		}
	}
}

// next says what one document has and the other has not.
func (v *jsonVerifier) next(d *json.Decoder, open json.Delim) string {
	t, err := d.Token()
	switch {
	case err != nil:
		return err.Error()
	case open == '{':
		return fmt.Sprintf("a field %v", t)
	}
	return "one more value, " + shown(t)
}

// shown is a token for an error.
func shown(t json.Token) string {
	switch t := t.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("%q", t)
	case json.Delim:
		return map[json.Delim]string{'{': "an object", '[': "a list", '}': "the end", ']': "the end"}[t]
	}
	return fmt.Sprint(t)
}
