package engine_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// realEmbeddings are testdata/real_embedder.json.
type realEmbeddings struct {
	Rows []struct {
		Text      string
		Tokens    int
		Embedding string
	}
}

// The weights of all-MiniLM-L6-v2 itself make sentence-transformers' embeddings, of texts of any
// length: cut at 256 tokens, though its tokenizer.json says 128 and asks for padding.
func TestRealEmbedder(t *testing.T) {
	modeltest.OnlyValues(t)
	dir := os.Getenv("MINILM_REAL_MODEL")
	if dir == "" {
		t.Skip("MINILM_REAL_MODEL is not set: all-MiniLM-L6-v2 is not opened")
	}
	data, err := os.ReadFile(filepath.Join("..", "testdata", "real_embedder.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want realEmbeddings
	if err := json.Unmarshal(data, &want); err != nil || len(want.Rows) < 12 {
		t.Fatalf("%d rows, %v", len(want.Rows), err)
	}
	var texts []string
	for _, row := range want.Rows {
		texts = append(texts, row.Text)
	}
	for _, c := range []struct {
		format kernels.Format
		least  float64 // cosine
	}{{kernels.F32, 1 - 1e-6}, {kernels.BF16, 1 - 3e-4}, {kernels.Int8, 1 - 5e-3}} {
		t.Run(c.format.String(), func(t *testing.T) {
			isa := kernels.Available()[0]
			if testing.Short() && c.format != kernels.F32 || isa == kernels.Generic {
				t.Skip("these texts take minutes there")
			} else if !slices.Contains(isa.Formats(), c.format) {
				t.Skipf("%v has no %v", isa, c.format)
			}
			e, err := engine.Open(dir, engine.Embedder(), engine.Device("cpu"), engine.Precision(c.format.String()), engine.NoCalibrationFile())
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			got, err := e.Embed(t.Context(), nil, texts)
			info := e.Info()
			if err != nil || info.Dimensions != 384 || info.MaxLength != 256 || len(info.Warnings) > 0 {
				t.Fatalf("%v, %+v", err, info)
			}
			worst := 1.0
			for i, row := range want.Rows {
				var b model.Batch
				if err := e.Tokenize(&b, []engine.Pair{{Query: row.Text}}); err != nil || b.Tokens() != row.Tokens {
					t.Errorf("text %d: %d tokens, %v, want %d", i, b.Tokens(), err, row.Tokens)
				}
				raw, err := base64.StdEncoding.DecodeString(row.Embedding)
				if err != nil || len(raw) != 4*info.Dimensions {
					t.Fatalf("row %d: %d bytes, %v", i, len(raw), err)
				}
				var dot, ours, theirs float64
				for j, v := range got[i*info.Dimensions:][:info.Dimensions] {
					x, y := float64(v), float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*j:])))
					dot, ours, theirs = dot+x*y, ours+x*x, theirs+y*y
				}
				cos := dot / math.Sqrt(ours*theirs)
				if worst = min(worst, cos); !(cos >= c.least) || math.Abs(ours-1) > 1e-6 {
					t.Errorf("text %d of %d tokens: cosine 1 - %.2g, length %g, want at least 1 - %.2g", i, row.Tokens, 1-cos, math.Sqrt(ours), 1-c.least)
				}
			}
			t.Logf("%d texts: cosine at least 1 - %.2g", len(texts), 1-worst)
		})
	}
}
