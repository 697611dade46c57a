package model

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
	"gorgonia.org/tensor"
)

// binder looks up tensors by name. It keeps the first error.
type binder struct {
	file       *safetensors.File
	arch       *architecture // nil: of a module, whose names have no prefix
	prefix     string        // the prefix of the encoder's names, for errors about missing tensors
	whole      string        // what a state dict of all modules puts before the Transformer's names, see wholes
	used       map[string]bool
	parameters int64
	err        error
}

// names returns the names under which the file has a tensor. Like transformers, it looks
// for the name with and without the encoder's prefix (one file may have both), and also for
// the old names of a LayerNorm's gain and bias.
func (b *binder) names(name string) (found []string) {
	old := name
	if norm, ok := strings.CutSuffix(name, "LayerNorm.weight"); ok {
		old = norm + "LayerNorm.gamma"
	} else if norm, ok := strings.CutSuffix(name, "LayerNorm.bias"); ok {
		old = norm + "LayerNorm.beta"
	}
	for _, n := range slices.Compact([]string{name, old}) {
		for _, n := range b.prefixed(n) {
			if _, ok := b.file.Lookup(n); ok {
				found = append(found, n)
			}
		}
	}
	return found
}

// prefixed returns a name with the encoder's prefix and without it.
func (b *binder) prefixed(name string) []string {
	if b.arch == nil {
		return []string{name}
	}
	return []string{b.whole + b.arch.prefix + name, b.whole + name}
}

// wholes begin the names of the Transformer's tensors in the state dict of a whole model of
// sentence-transformers, before version 5.4 and since. Training in parts saves such files.
var wholes = []string{"0.auto_model.", "0.model."}

// begin finds out how the file names the encoder's tensors. Tensors of other modules, which a
// whole model's state dict has, are refused: here they are read from those modules' folders.
func (b *binder) begin() {
	word := b.arch.names.word + ".weight"
	for _, whole := range append(wholes, "") {
		b.whole, b.prefix = whole, whole
		if _, ok := b.file.Lookup(whole + b.arch.prefix + word); ok {
			b.prefix = whole + b.arch.prefix
			break
		} else if _, ok := b.file.Lookup(whole + word); ok {
			break
		}
	}
	if b.whole == "" {
		return
	}
	for _, name := range b.file.Names() {
		if !strings.HasPrefix(name, b.whole) {
			b.err = fmt.Errorf("%w: tensor %q is of another module: this is the state dict of a whole model, want one of the Transformer alone", ErrWeights, name)
			return
		}
	}
}

func (b *binder) dense(name string, shape ...int) *tensor.Dense {
	if b.err != nil {
		return nil
	}
	names := b.names(name)
	switch {
	case len(names) == 0:
		if b.arch != nil && b.arch.isOutside(name) {
			name = b.whole + name
		} else {
			name = b.prefix + name
		}
		b.err = fmt.Errorf("%w: tensor %q is missing", ErrWeights, name)
		return nil
	case len(names) > 1:
		// Which of the two is used depends on the version of transformers.
		b.err = fmt.Errorf("%w: tensors %q and %q are the same one, want either", ErrWeights, names[0], names[1])
		return nil
	}
	name = names[0]
	t, _ := b.file.Lookup(name)
	b.used[name] = true
	if !slices.Equal(t.Shape, shape) {
		b.err = fmt.Errorf("%w: tensor %q: shape %d, want %d by config.json", ErrWeights, name, t.Shape, shape)
		return nil
	}
	if err := b.file.Guard(t.CheckFinite); err != nil {
		b.err = fmt.Errorf("%w: %w", ErrWeights, err)
		return nil
	}
	t.Release() // it was read to look for NaN, and may never be read again
	values, err := t.Float32s()
	if err != nil {
		b.err = fmt.Errorf("%w: %w", ErrWeights, err)
		return nil
	}
	b.parameters += int64(len(values))
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))
}

func (b *binder) linear(name string, out, in int) Linear {
	return Linear{W: b.dense(name+".weight", out, in), B: b.dense(name+".bias", out)}
}

func (b *binder) norm(name string, n int) Norm {
	return Norm{Gain: b.dense(name+".weight", n), Bias: b.dense(name+".bias", n)}
}

// positions checks position_ids, a tensor in older checkpoints that says which position
// each token takes. New versions of transformers ignore it and count 0, 1, 2 ..., as we do;
// old ones read it. So any other content would be another model there, and is refused.
func (b *binder) positions() {
	for _, name := range b.names("embeddings.position_ids") {
		if b.err != nil {
			return
		}
		t, _ := b.file.Lookup(name)
		b.used[name] = true
		b.err = b.file.Guard(func() error {
			at, err := positionsOf(t)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrWeights, err)
			}
			for i := range t.Elements() {
				if id := at(i); id != float64(i) {
					return fmt.Errorf("%w: tensor %q: position %d is %.0f, want 0, 1, 2 and so on", ErrWeights, name, i, id)
				}
			}
			return nil
		})
	}
}

// positionsOf returns a function that reads a tensor of positions. They are whole numbers,
// unless a script has converted the whole checkpoint to a type of floats. A float64 can
// hold all valid positions, and shows which ones are not.
func positionsOf(t *safetensors.Tensor) (at func(i int) float64, err error) {
	data := t.Data()
	switch t.DType {
	case safetensors.I64:
		return func(i int) float64 { return float64(int64(binary.LittleEndian.Uint64(data[8*i:]))) }, nil
	case safetensors.I32:
		return func(i int) float64 { return float64(int32(binary.LittleEndian.Uint32(data[4*i:]))) }, nil
	case safetensors.F64:
		return func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])) }, nil
	case safetensors.F32, safetensors.F16, safetensors.BF16:
		values, err := t.Float32s()
		return func(i int) float64 { return float64(values[i]) }, err
	}
	return nil, fmt.Errorf("tensor %q: %s, want I64", t.Name, t.DType)
}

// mostNamed is how many names of tensors or fields a warning lists. A file may have
// thousands.
const mostNamed = 3

// unused warns of tensors that were not used. It is normal for an encoder without a
// classifier to have a pooler that is not used.
func (b *binder) unused(head bool) []string {
	var first []string
	count := 0
	for _, name := range b.file.Names() {
		if b.used[name] || !head && strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(name, b.whole), b.arch.prefix), "pooler.") {
			continue
		}
		if count++; count <= mostNamed {
			first = append(first, fmt.Sprintf("%.80q", name))
		}
	}
	switch {
	case count == 0:
		return nil
	case count > mostNamed:
		first = append(first, "...")
	}
	return []string{fmt.Sprintf("%d tensors have no place in the model of config.json, and are not used: %s", count, strings.Join(first, ", "))}
}
