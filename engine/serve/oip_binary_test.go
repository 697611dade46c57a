package serve

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// packed are texts as bytes: the length of each before it.
func packed(texts ...string) (b []byte) {
	for _, s := range texts {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	return b
}

// sendBinary sends JSON with bytes behind it, as Triton's clients do unless told otherwise.
func sendBinary(h *Handler, text string, tail []byte, length string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/v2/models/tiny/infer", bytes.NewReader(append([]byte(text), tail...)))
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set(oipPrefix, length)
	return serveOne(h, r)
}

func TestOIPBinary(t *testing.T) {
	h, eng := open(t, scoring)
	documents := []string{"Berlin has museums.", "", "Wörld"}
	want, err := eng.Score(t.Context(), nil, pairsOf("museums", documents), engine.SigmoidScores())
	if err != nil {
		t.Fatal(err)
	}
	query, rest := packed("museums"), packed(documents...)
	inputs := fmt.Sprintf(`"inputs": [{"name": "query", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": %d}},
		{"name": "documents", "shape": [3], "datatype": "BYTES", "parameters": {"binary_data_size": %d}}]`, len(query), len(rest))
	tail := slices.Concat(query, rest)
	for _, outputs := range []string{
		`"parameters": {"binary_data_output": true}`,
		`"outputs": [{"name": "scores", "parameters": {"binary_data": true}}]`,
		`"parameters": {"binary_data_output": true}, "outputs": [{"name": "scores", "parameters": {"binary_data": false}}]`,
	} {
		text := "{" + inputs + ", " + outputs + "}"
		w := sendBinary(h, text, tail, strconv.Itoa(len(text)))
		if w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		body, n := w.Body.Bytes(), w.Body.Len()
		if !strings.HasSuffix(outputs, "false}}]") {
			if n, err = strconv.Atoi(w.Header().Get(oipPrefix)); err != nil || w.Header().Get("Content-Type") != oipBinary {
				t.Fatalf("headers %v", w.Header())
			}
		}
		var a oipAnswer
		if err := json.Unmarshal(body[:n], &a); err != nil {
			t.Fatalf("%s: %v", body[:n], err)
		}
		got := a.Outputs[0].Data
		for rest := body[n:]; len(rest) > 0; rest = rest[4:] {
			got = append(got, math.Float32frombits(binary.LittleEndian.Uint32(rest)))
		}
		if !slices.Equal(got, want) || !slices.Equal(a.Outputs[0].Shape, []int{3}) {
			t.Errorf("%s: %v %v, want %v", outputs, a.Outputs[0].Shape, got, want)
		}
	}
}

// Arrays of a tensor are read once for each level that they are in: there are few.
func TestOIPNested(t *testing.T) {
	h, _ := open(t, scoring)
	for levels, want := range map[int]int{1: 200, 2: 200, oipDeepest: 200, oipDeepest + 1: 400, 100: 400} {
		data := strings.Repeat("[", levels) + `"b"` + strings.Repeat("]", levels)
		w := send(h, "POST", "/v2/models/tiny/infer", `{"inputs": [{"name": "query", "shape": [1], "datatype": "BYTES", "data": ["a"]}, {"name": "documents", "shape": [1], "datatype": "BYTES", "data": `+data+`}]}`)
		if w.Code != want || want == 400 && decoded[errorText](t, w).Error != "data has more than 8 arrays in each other" {
			t.Errorf("%d levels: %d %s", levels, w.Code, w.Body)
		}
	}
}

func TestOIPBinaryRefused(t *testing.T) {
	h, _ := open(t, scoring)
	input := func(name string, elements, size int) string {
		return fmt.Sprintf(`{"name": %q, "shape": [%d], "datatype": "BYTES", "parameters": {"binary_data_size": %d}}`, name, elements, size)
	}
	q := packed("a")
	for _, c := range []struct {
		documents string
		tail      []byte
		length    string // "" for the right one
		want      string
	}{
		{input("documents", 1, 5), packed("b"), "9999", "header Inference-Header-Content-Length: want a number of bytes, at most the "},
		{input("documents", 1, 5), packed("b"), "-1", "want a number of bytes"},
		{input("documents", 1, 5), packed("b"), "x", "want a number of bytes"},
		{input("documents", 1, 6), packed("b"), "", `input "documents": binary_data_size: 6, and the body has 5 bytes more`},
		{input("documents", 1, 5), packed("bc"), "", `input "documents": element 0 has 2 bytes, and the data ends before`},
		{input("documents", 1, 5), packed("b", "c"), "", "5 bytes follow the inputs' own"},
		{input("documents", 1, 3), []byte{0, 0, 0}, "", `input "documents": the data ends within a length`},
		{input("documents", 1, 5), packed("\xff"), "", `input "documents": element 0 is not UTF-8`},
		{input("documents", 2, 5), packed("b"), "", `input "documents": the shape has 2 elements, and there are 1`},
		{input("documents", 1, -1), packed("b"), "", `field "binary_data_size": -1, want at least 0`},
		{input("documents", 1, 8), binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, math.MaxUint32), 0), "", "has 4294967295 bytes, and the data ends before"},
		{input("query", 1, 5), packed("b"), "", `input "query" is there twice`},
		{strings.Replace(input("documents", 1, 5), "[1]", "[-1]", 1), packed("b"), "", "shape: -1 is negative"},
		{strings.Replace(input("documents", 1, 5), "[1]", "[9999, 9999]", 1), packed("b"), "", "the limit of --max-items"},
	} {
		text := fmt.Sprintf(`{"inputs": [%s, %s]}`, input("query", 1, len(q)), c.documents)
		length := c.length
		if length == "" {
			length = strconv.Itoa(len(text))
		}
		w := sendBinary(h, text, slices.Concat(q, c.tail), length)
		if w.Code != 400 || !strings.Contains(decoded[errorText](t, w).Error, c.want) {
			t.Errorf("%s: %d %s, want %s", c.documents, w.Code, w.Body, c.want)
		}
	}
}
