package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// Config is the shape of a BERT encoder with a classification head, as in a
// checkpoint's config.json. Its JSON has that file's names.
type Config struct {
	HiddenSize       int        `json:"hidden_size"`
	Layers           int        `json:"num_hidden_layers"`
	Heads            int        `json:"num_attention_heads"`
	IntermediateSize int        `json:"intermediate_size"`
	VocabSize        int        `json:"vocab_size"`
	MaxPositions     int        `json:"max_position_embeddings"`
	TypeVocabSize    int        `json:"type_vocab_size"`
	LayerNormEps     float64    `json:"layer_norm_eps"`
	Labels           int        `json:"num_labels"` // or the length of id2label; 0 where neither is said
	Activation       Activation `json:"activation"` // what sentence-transformers would put on the logit
}

// Activation is the function that a checkpoint asks for on its logit. The
// engine returns raw logits unless told otherwise; this says what others do.
type Activation string

const (
	Identity Activation = "identity"
	Sigmoid  Activation = "sigmoid"
)

// HeadSize returns d, the width of one attention head.
func (c *Config) HeadSize() int { return c.HiddenSize / c.Heads }

// FLOPs returns the floating-point operations (a multiply and an add are two)
// that Score spends on a sequence of n tokens: the linear layers and the two
// products of attention, with the last layer for one row. Norms, softmax and
// GELU, well under 2 %, are not counted.
func (c *Config) FLOPs(n int) int64 {
	h, f, t := int64(c.HiddenSize), int64(c.IntermediateSize), int64(n)
	layer := func(rows int64) int64 {
		kv, q := 2*2*t*h*h, 2*rows*h*h
		attention := 2 * 2 * rows * t * h
		return kv + q + attention + 2*rows*h*h + 2*2*rows*h*f
	}
	return int64(c.Layers-1)*layer(t) + layer(1) + 2*h*h + 2*h
}

// MaxConfigBytes bounds what is read of a config.json; real ones have under 4 KB.
const MaxConfigBytes = 1 << 20

// maxConfigValues bounds the JSON values in it: labels are two each, other fields one.
const maxConfigValues = 1 << 15

// ErrConfig is in every error about a config.json that says something this
// encoder cannot do.
var ErrConfig = errors.New("model: bad config")

// ReadConfig reads config.json from the top of fsys.
func ReadConfig(fsys fs.FS) (*Config, error) {
	data, err := bounded.ReadFS(fsys, "config.json", MaxConfigBytes)
	if errors.Is(err, bounded.ErrTooLarge) || errors.Is(err, bounded.ErrGitLFS) {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := jsonscan.Check(data, maxConfigValues); err != nil {
		return nil, fmt.Errorf("%w: config.json: %w", ErrConfig, err)
	}
	return ParseConfig(data)
}

// configFile is config.json. Pointers tell a missing field from a zero.
type configFile struct {
	ModelType             string            `json:"model_type"`
	HiddenSize            *int              `json:"hidden_size"`
	Layers                *int              `json:"num_hidden_layers"`
	Heads                 *int              `json:"num_attention_heads"`
	IntermediateSize      *int              `json:"intermediate_size"`
	VocabSize             *int              `json:"vocab_size"`
	MaxPositions          *int              `json:"max_position_embeddings"`
	TypeVocabSize         *int              `json:"type_vocab_size"`
	LayerNormEps          *float64          `json:"layer_norm_eps"`
	HiddenAct             *string           `json:"hidden_act"`
	PositionEmbeddingType *string           `json:"position_embedding_type"`
	NumLabels             *int              `json:"num_labels"`
	ID2Label              map[string]string `json:"id2label"`
	IsDecoder             bool              `json:"is_decoder"`
	OldActivation         *string           `json:"sbert_ce_default_activation_function"`
	SentenceTransformers  struct {
		Activation *string `json:"activation_fn"`
	} `json:"sentence_transformers"`
}

// ParseConfig reads the contents of a config.json. What it leaves out takes
// the value that BERT's own configuration has there, except for the sizes that
// a checkpoint cannot do without.
func ParseConfig(data []byte) (*Config, error) {
	var f configFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("%w: config.json: %w", ErrConfig, err)
	}
	bad := func(field, format string, args ...any) error {
		return fmt.Errorf("%w: config.json: %s: %s", ErrConfig, field, fmt.Sprintf(format, args...))
	}
	if f.ModelType != "" && f.ModelType != "bert" {
		return nil, bad("model_type", "%q, want \"bert\"", f.ModelType)
	}
	if f.IsDecoder {
		return nil, bad("is_decoder", "true, want an encoder")
	}
	if f.HiddenAct != nil && *f.HiddenAct != "gelu" {
		return nil, bad("hidden_act", "%q, want \"gelu\" (the exact one)", *f.HiddenAct)
	}
	if f.PositionEmbeddingType != nil && *f.PositionEmbeddingType != "absolute" {
		return nil, bad("position_embedding_type", "%q, want \"absolute\"", *f.PositionEmbeddingType)
	}

	c := &Config{TypeVocabSize: 2, LayerNormEps: 1e-12, Activation: Identity}
	for _, size := range []struct {
		name     string
		from     *int
		to       *int
		required bool
		most     int
	}{
		{"hidden_size", f.HiddenSize, &c.HiddenSize, true, 1 << 16},
		{"num_hidden_layers", f.Layers, &c.Layers, true, 1 << 10},
		{"num_attention_heads", f.Heads, &c.Heads, true, 1 << 12},
		{"intermediate_size", f.IntermediateSize, &c.IntermediateSize, true, 1 << 18},
		{"vocab_size", f.VocabSize, &c.VocabSize, true, 1 << 24},
		{"max_position_embeddings", f.MaxPositions, &c.MaxPositions, true, 1 << 20},
		{"type_vocab_size", f.TypeVocabSize, &c.TypeVocabSize, false, 1 << 10},
		{"num_labels", f.NumLabels, &c.Labels, false, 1 << 16},
	} {
		switch {
		case size.from == nil && size.required:
			return nil, bad(size.name, "missing")
		case size.from == nil:
		case *size.from < 1 || *size.from > size.most:
			return nil, bad(size.name, "%d, want 1 to %d", *size.from, size.most)
		default:
			*size.to = *size.from
		}
	}
	if c.HiddenSize%c.Heads != 0 {
		return nil, bad("hidden_size", "%d is not divisible by num_attention_heads %d", c.HiddenSize, c.Heads)
	}
	if f.LayerNormEps != nil {
		c.LayerNormEps = *f.LayerNormEps
		if !(c.LayerNormEps >= 0 && c.LayerNormEps < 1) {
			return nil, bad("layer_norm_eps", "%g, want 0 to 1", c.LayerNormEps)
		}
	}
	if n := len(f.ID2Label); n > 0 {
		if c.Labels != 0 && c.Labels != n {
			return nil, bad("num_labels", "%d, but id2label has %d", c.Labels, n)
		}
		c.Labels = n
	}
	// Where both spellings stand, the newer one, read last, decides.
	for _, act := range []struct {
		field string
		name  *string
	}{
		{"sbert_ce_default_activation_function", f.OldActivation},
		{"sentence_transformers.activation_fn", f.SentenceTransformers.Activation},
	} {
		switch {
		case act.name == nil:
		case strings.HasSuffix(*act.name, ".Identity"):
			c.Activation = Identity
		case strings.HasSuffix(*act.name, ".Sigmoid"):
			c.Activation = Sigmoid
		default:
			return nil, bad(act.field, "%q, want an Identity or a Sigmoid", *act.name)
		}
	}
	return c, nil
}
