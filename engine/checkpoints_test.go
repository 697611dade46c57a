package engine_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// oddCheckpoint is testdata/tiny with changes, and what sentence-transformers makes of it:
// a case of testdata/checkpoints.json, where checkpoints.py says what the fields mean.
type oddCheckpoint struct {
	Name            string                     `json:"name"`
	Config          map[string]json.RawMessage `json:"config"`
	TokenizerConfig map[string]json.RawMessage `json:"tokenizer_config"`
	Tokenizer       map[string]json.RawMessage `json:"tokenizer"`
	Rename          [][2]string                `json:"rename"`
	Add             map[string][2]json.RawMessage
	IDs             map[string][]uint64
	Rows            map[string]int
	Doubles         float64 // a factor of all tensors, which are F64 then; 0 leaves them F32

	Logits     []float64
	Activation string
	MaxLength  int `json:"max_length"`
	Lengths    []int
	Types      int
	Error      string // of the library

	Refused, Opened, Warns string // what we do otherwise, and say
}

// oddCheckpoints returns the cases and the pairs that each was asked for.
func oddCheckpoints(t *testing.T) ([]oddCheckpoint, []engine.Pair) {
	t.Helper()
	data, err := os.ReadFile("../testdata/checkpoints.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Pairs [][2]string
		Cases []oddCheckpoint
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	var pairs []engine.Pair
	for _, p := range all.Pairs {
		pairs = append(pairs, engine.Pair{Query: p[0], Passage: p[1]})
	}
	return all.Cases, pairs
}

// files makes the changes.
func (c *oddCheckpoint) files(t *testing.T) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, changes := range map[string]map[string]json.RawMessage{"config.json": c.Config, "tokenizer_config.json": c.TokenizerConfig, "tokenizer.json": c.Tokenizer} {
		data, err := fs.ReadFile(testdata.Tiny(), name)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) > 0 {
			data = edited(t, data, changes)
		}
		fsys[name] = &fstest.MapFile{Data: data}
	}
	fsys["model.safetensors"] = &fstest.MapFile{Data: c.weights(t)}
	return fsys
}

// edited sets fields of a JSON object; {"drop": true} takes one out.
func edited(t *testing.T, data []byte, changes map[string]json.RawMessage) []byte {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		if fields[name] = value; strings.ReplaceAll(string(value), " ", "") == `{"drop":true}` {
			delete(fields, name)
		}
	}
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (c *oddCheckpoint) weights(t *testing.T) []byte {
	t.Helper()
	file, err := safetensors.OpenCheckpoint(testdata.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []safetensors.Entry
	for _, name := range file.Names() {
		tensor, _ := file.Lookup(name)
		e := safetensors.Entry{Name: name, DType: tensor.DType, Shape: slices.Clone(tensor.Shape), Data: slices.Clone(tensor.Data())}
		for _, r := range c.Rename {
			e.Name = strings.ReplaceAll(e.Name, r[0], r[1])
		}
		if n, ok := c.Rows[name]; ok {
			row := len(e.Data) / e.Shape[0]
			e.Data = bytes.Repeat(e.Data, n)[:n*row]
			e.Shape[0] = n
		}
		all = append(all, e)
	}
	for name, add := range c.Add {
		e := safetensors.Entry{Name: name, DType: "F32"}
		var value float32
		if err := json.Unmarshal(add[0], &e.Shape); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(add[1], &value); err != nil {
			t.Fatal(err)
		}
		for range e.Shape[0] {
			e.Data = binary.LittleEndian.AppendUint32(e.Data, math.Float32bits(value))
		}
		all = append(all, e)
	}
	for name, ids := range c.IDs {
		e := safetensors.Entry{Name: name, DType: "I64", Shape: []int{1, len(ids)}}
		for _, id := range ids {
			e.Data = binary.LittleEndian.AppendUint64(e.Data, id)
		}
		all = append(all, e)
	}
	if c.Doubles != 0 {
		doubled(all, c.Doubles)
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, all, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// doubled makes tensors of F32 those of F64, each value times a factor.
func doubled(all []safetensors.Entry, by float64) {
	for i := range all {
		e := &all[i]
		if e.DType != "F32" {
			continue
		}
		wide := make([]byte, 0, 2*len(e.Data))
		for at := 0; at < len(e.Data); at += 4 {
			v := float64(math.Float32frombits(binary.LittleEndian.Uint32(e.Data[at:])))
			wide = binary.LittleEndian.AppendUint64(wide, math.Float64bits(v*by))
		}
		e.DType, e.Data = "F64", wide
	}
}

// A checkpoint's files mean here what they mean to sentence-transformers, or are refused in
// their own words. Where the library has an error, so have we; what it warns of, we do.
func TestCheckpointsAsTheLibrary(t *testing.T) {
	modeltest.OnlyValues(t)
	cases, pairs := oddCheckpoints(t)
	plain := cases[0].Logits
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			e, err := engine.OpenFS(c.files(t), engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
			if c.Refused != "" || c.Error != "" && c.Opened == "" {
				if err == nil {
					e.Close()
					t.Fatalf("opened, where the library says %q and we %q", c.Error, c.Refused)
				}
				says := err.Error()
				inPlainWords(t, err)
				if !strings.Contains(says, c.Refused) || strings.Contains(says, "unmarshal") || strings.Contains(says, "Go ") {
					t.Errorf("error %q, want %q in it, and no word of Go's", says, c.Refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			info := e.Info()
			if got := strings.Join(info.Warnings, "\n"); len(info.Warnings) > 1 || !strings.Contains(got, c.Warns) || c.Warns == "" && got != "" {
				t.Errorf("warnings %q, want one with %q", info.Warnings, c.Warns)
			}
			if c.Error != "" {
				c.Logits = plain // the odd thing does not touch the scores
			} else {
				c.compare(t, e, pairs)
			}
			for i, got := range score(t, e, pairs) {
				if math.Abs(float64(got)-c.Logits[i]) > 1e-4 {
					t.Errorf("pair %d: logit %g, want %g", i, got, c.Logits[i])
				}
			}
		})
	}
}

// compare holds what the engine says of itself to the library.
func (c *oddCheckpoint) compare(t *testing.T, e *engine.Engine, pairs []engine.Pair) {
	t.Helper()
	info := e.Info()
	if got := string(info.Config.Activation); !strings.EqualFold(got[strings.LastIndexByte(got, '.')+1:], c.Activation) {
		t.Errorf("activation %q, want %s", got, c.Activation)
	}
	if info.MaxLength != c.MaxLength || info.MaxLengthFrom == "" {
		t.Errorf("at most %d tokens, by %q; want %d", info.MaxLength, info.MaxLengthFrom, c.MaxLength)
	}
	var b model.Batch
	if err := e.Tokenize(&b, pairs); err != nil {
		t.Fatal(err)
	}
	for i, want := range c.Lengths {
		if lo, hi := b.Bounds(i); hi-lo != want {
			t.Errorf("pair %d has %d tokens, want %d", i, hi-lo, want)
		}
	}
	if got := int(slices.Max(b.Types)) + 1; got != c.Types {
		t.Errorf("%d types, want %d", got, c.Types)
	}
}
