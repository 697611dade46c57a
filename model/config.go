package model

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/modules"
)

// Config is the shape of a BERT encoder with a classification head. Its JSON names are
// those of a checkpoint's config.json.
type Config struct {
	HiddenSize       int        `json:"hidden_size"`
	EmbeddingSize    int        `json:"embedding_size,omitempty"` // 0: HiddenSize. Otherwise embeddings are so wide, and projected
	Layers           int        `json:"num_hidden_layers"`
	Heads            int        `json:"num_attention_heads"`
	IntermediateSize int        `json:"intermediate_size"`
	VocabSize        int        `json:"vocab_size"`
	MaxPositions     int        `json:"max_position_embeddings"`
	TypeVocabSize    int        `json:"type_vocab_size"`
	LayerNormEps     float64    `json:"layer_norm_eps"`
	Labels           int        `json:"num_labels"` // or the length of id2label; 0 if neither is given or they contradict each other
	Activation       Activation `json:"activation"` // what sentence-transformers applies to the logits; "" if it depends on Labels, and they are 0

	arch *architecture // nil: BERT
}

func (c *Config) architecture() *architecture {
	if c.arch == nil {
		return &bert
	}
	return c.arch
}

// embedding returns the width of the embeddings, before any projection.
func (c *Config) embedding() int {
	if c.EmbeddingSize == 0 {
		return c.HiddenSize
	}
	return c.EmbeddingSize
}

// HeadSize returns d, the width of one attention head.
func (c *Config) HeadSize() int { return c.HiddenSize / c.Heads }

// FLOPs returns the floating-point operations of the encoder for a sequence of n tokens,
// where a multiply and an add are two; last says for which rows the last layer is computed.
// It counts the linear layers and the two products of attention. It does not count norms,
// softmax, GELU and pooling, which are well under 2 %, nor the head.
func (c *Config) FLOPs(n int, last Rows) int64 {
	h, f, t := int64(c.HiddenSize), int64(c.IntermediateSize), int64(n)
	layer := func(rows int64) int64 {
		kv, q := 2*2*t*h*h, 2*rows*h*h
		attention := 2 * 2 * rows * t * h
		return kv + q + attention + 2*rows*h*h + 2*2*rows*h*f
	}
	rows := t
	if last == ClsRows {
		rows = 1
	}
	project := 2 * t * h * int64(c.EmbeddingSize)
	return project + int64(c.Layers-1)*layer(t) + layer(rows)
}

// ErrConfig is in every error about a config.json, or the files beside it, which asks for
// something that this encoder cannot do. Its own text is only the beginning of such errors.
var ErrConfig = errors.New("model")

// ReadConfig reads config.json at the top of fsys, and the files of sentence-transformers
// beside it. ReadSpec returns more of what they say.
func ReadConfig(fsys fs.FS) (*Config, error) {
	s, err := ReadSpec(fsys)
	if err != nil {
		return nil, err
	}
	return &s.Config, nil
}

// ParseConfig reads the contents of a config.json. Fields that are missing get the values
// of BERT's own configuration, except for sizes, which must be there.
func ParseConfig(data []byte) (*Config, error) {
	s, err := parseSpec(data)
	if err != nil {
		return nil, err
	}
	if s.Activation == "" && s.Labels > 0 {
		s.Activation = defaultActivation(s.Labels)
	}
	return &s.Config, nil
}

// readSmall reads one of a checkpoint's small JSON files. An error about its content is
// ErrConfig; another says why the file cannot be read.
func readSmall(fsys fs.FS, name string) ([]byte, error) {
	data, err := modules.Read(fsys, name)
	switch {
	case err == nil:
		return data, nil
	case data != nil, errors.Is(err, bounded.ErrTooLarge), errors.Is(err, bounded.ErrGitLFS):
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil, fmt.Errorf("model: %w", err)
}
