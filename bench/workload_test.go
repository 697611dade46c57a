package bench

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
)

func TestReadWorkload(t *testing.T) {
	const text = "{\"query\":\"a\",\"passage\":\"b\"}\n" +
		"\n" +
		"{\"id\": 7, \"q\": \"c\", \"p\": \"\"}\r\n" +
		"  {\"passage\":\"naïve\",\"query\":\"\",\"extra\":[1,{}]}  \n" +
		"{\"query\":\"last\",\"passage\":\"no newline\"}"
	pairs := []engine.Pair{{Query: "a", Passage: "b"}, {Query: "c"}, {Passage: "naïve"}, {Query: "last", Passage: "no newline"}}
	sum := sha256.Sum256([]byte(text))
	for most := 1; most <= 6; most++ {
		// One byte a read shows whether the hash has every byte once.
		w, err := readWorkload(iotest.OneByteReader(strings.NewReader(text)), "file.jsonl", most, false)
		if err != nil {
			t.Fatalf("most %d: %v", most, err)
		}
		if want := pairs[:min(most, len(pairs))]; !reflect.DeepEqual(w.pairs, want) {
			t.Errorf("most %d: %q, want %q", most, w.pairs, want)
		}
		if w.sha256 != hex.EncodeToString(sum[:]) {
			t.Errorf("most %d: sha256 %s is not the file's", most, w.sha256)
		}
	}
}

func TestBadWorkload(t *testing.T) {
	good := "{\"q\":\"a\",\"p\":\"b\"}\n"
	tests := []struct{ name, text, want string }{
		{"nothing", "", "x.jsonl: no pairs"},
		{"blank", "\n \n\r\n", "x.jsonl: no pairs"},
		{"not JSON", good + "\nhello\n", "x.jsonl:3: column 1: not JSON: invalid character 'h'"},
		{"array", good + "[1]\n", "x.jsonl:2: array, want a JSON object"},
		{"null", "null", `x.jsonl:1: null, want a JSON object`},
		{"half a line", good + good[:9], "x.jsonl:2: column 9: not JSON: unexpected end of JSON input"},
		{"two on a line", good + strings.TrimSpace(good) + good, "x.jsonl:2: column 18: not JSON: invalid character '{' after top-level value"},
		{"no passage", `{"query":"a"}`, `x.jsonl:1: no "passage"`},
		{"no query", `{"p":"a"}`, `x.jsonl:1: no "query"`},
		{"null passage", `{"query":"a","passage":null}`, `x.jsonl:1: "passage": null, want a string`},
		{"number", `{"query":"a","passage":3}`, `x.jsonl:1: "passage": number, want a string`},
		{"token ids", `{"input_ids":[1],"token_type_ids":[0]}`, `x.jsonl:1: tokens, want texts`},
		{"endless line", good + strings.Repeat("x", jsonl.MaxLine+1), "x.jsonl:2: over 67108864 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := readWorkload(strings.NewReader(tt.text), "x.jsonl", 100, false)
			if !errors.Is(err, ErrDataset) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, error %q, want %q in it", w, err, tt.want)
			}
		})
	}
	if _, err := openWorkload(filepath.Join(t.TempDir(), "none.jsonl"), 1); !errors.Is(err, ErrDataset) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := openWorkload(t.TempDir(), 1); !errors.Is(err, ErrDataset) {
		t.Errorf("a directory: %v", err)
	}
	broken := errors.New("bad sector")
	if _, err := readWorkload(iotest.ErrReader(broken), "x.jsonl", 1, false); !errors.Is(err, broken) {
		t.Errorf("a read error: %v", err)
	}
}

func TestOpenWorkload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.jsonl")
	if err := os.WriteFile(path, []byte(`{"query":"a","passage":"b"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	w, err := openWorkload(path, 5)
	if err != nil || w.name != "own.jsonl" || len(w.pairs) != 1 {
		t.Errorf("%+v, %v", w, err)
	}
}

// FuzzReadWorkload checks that no file gives a panic, an error that does not
// say whose it is, or an empty workload.
func FuzzReadWorkload(f *testing.F) {
	f.Add([]byte("{\"query\":\"a\",\"passage\":\"b\"}\n{\"q\":\"a\",\"p\":\"b\"}"), 3)
	f.Add([]byte("{\"query\":\"\\ud800\",\"passage\":\"\xff\"}"), 1)
	f.Add([]byte("\n\n[]"), 0)
	f.Fuzz(func(t *testing.T, data []byte, most int) {
		if len(data) > 200 { // two or three lines; long ones go test shortens for minutes
			return
		}
		w, err := readWorkload(bytes.NewReader(data), "f", most, false)
		if err != nil {
			if !errors.Is(err, ErrDataset) {
				t.Errorf("error %v", err)
			}
			return
		}
		sum := sha256.Sum256(data)
		if len(w.pairs) == 0 || len(w.pairs) > most || w.sha256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%d pairs of %d, sha256 %s", len(w.pairs), most, w.sha256)
		}
	})
}

func TestBuiltIn(t *testing.T) {
	w, err := openWorkload("", 100)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openWorkload("", 100)
	if err != nil || !reflect.DeepEqual(w, again) {
		t.Errorf("two times the built-in data set differ (%v)", err)
	}
	// What the hash is of: the same pairs in a file of their own.
	var file bytes.Buffer
	for _, p := range w.pairs {
		q, _ := json.Marshal(p.Query)
		d, _ := json.Marshal(p.Passage)
		file.WriteString(`{"query":` + string(q) + `,"passage":` + string(d) + "}\n")
	}
	read, err := readWorkload(&file, w.name, 100, false)
	if err != nil || !reflect.DeepEqual(read, w) {
		t.Errorf("as a file the built-in data set is another (%v)", err)
	}
	if len(w.pairs) != 100 || !strings.Contains(w.name, "built-in") {
		t.Errorf("%d pairs in %q", len(w.pairs), w.name)
	}
}

func TestBatchGoesRound(t *testing.T) {
	w := numbered(5)
	w.tokens = []int32{10, 20, 30, 40, 50}
	var memory []engine.Pair
	pairs, tokens, padded := w.batch(memory, 3, 7)
	var got []string
	for _, p := range pairs {
		got = append(got, p.Query)
	}
	if strings.Join(got, " ") != "3 4 0 1" || tokens != 40+50+10+20 || padded != 4*50 {
		t.Errorf("pairs %v, %d tokens, %d padded", got, tokens, padded)
	}
	if again, _, _ := w.batch(pairs, 1, 2); len(again) != 1 || &again[0] != &pairs[0] || again[0].Query != "1" {
		t.Error("the memory of the last batch is not used again")
	}
}

func TestDataset(t *testing.T) {
	w := numbered(4)
	w.tokens = []int32{4, 15, 16, 70}
	w.sha256 = "abc"
	want := recording.Dataset{Name: "numbered", SHA256: "abc", Pairs: 4, Tokens: 105, Histogram: []recording.LengthBucket{
		{Min: 0, Width: 16, Pairs: 2}, {Min: 16, Width: 16, Pairs: 1}, {Min: 32, Width: 16, Pairs: 0}, {Min: 48, Width: 16, Pairs: 0}, {Min: 64, Width: 16, Pairs: 1}}}
	if got := w.dataset(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
