package model

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
	"gorgonia.org/tensor"
)

// poolings are the ways of pooling, in the order in which the older layout puts their rows
// side by side: its field, and the name in the newer layout.
var poolings = []struct {
	flag, name string
	pool       Pooling
}{
	{"pooling_mode_cls_token", "cls", PoolCls}, {"pooling_mode_max_tokens", "max", PoolMax}, {"pooling_mode_mean_tokens", "mean", PoolMean},
	{"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", PoolMeanSqrt}, {"pooling_mode_weightedmean_tokens", "weightedmean", PoolWeightedMean},
	{"pooling_mode_lasttoken", "lasttoken", PoolLast},
}

// poolNames says in words what is pooled.
func poolNames(pool []Pooling) string {
	var names []string
	for _, of := range pool {
		for _, p := range poolings {
			if p.pool == of {
				names = append(names, p.name)
			}
		}
	}
	return "pooling: " + strings.Join(names, ", ")
}

// pooling reads the module Pooling in either layout: one field for each way, or since version
// 5.4 the names of the ways.
func (e *embedder) pooling(fsys fs.FS, folder string) error {
	f, err := readModule(fsys, folder, true)
	if err != nil {
		return err
	}
	keys := []string{"word_embedding_dimension", "embedding_dimension", "pooling_mode", "include_prompt"}
	for _, name := range keys[:2] {
		if n := e.width; f.whole(name, &n) && n != e.width {
			f.bad(name, "%d, and config.json has a hidden_size of %d", n, e.width)
		}
	}
	e.pool = nil
	var names []string
	if one := ""; f.has("pooling_mode") && f.err == nil {
		if f.raw["pooling_mode"][0] == '"' && f.text("pooling_mode", &one) {
			names = []string{one}
		} else {
			f.read("pooling_mode", &names, "a name or a list of names")
		}
		if n := len(names); n < 1 || n > len(poolings) {
			f.bad("pooling_mode", "%d names, want 1 to %d", n, len(poolings))
		}
		for _, name := range names {
			known := false
			for _, p := range poolings {
				if p.name == name {
					e.pool, known = append(e.pool, p.pool), true
				}
			}
			if !known {
				f.bad("pooling_mode", "%.80q is not supported", name)
			}
		}
	}
	for _, p := range poolings {
		keys = append(keys, p.flag)
		switch {
		case !f.isTrue(p.flag):
		case names != nil:
			f.bad(p.flag, "true, beside a pooling_mode")
		default:
			e.pool = append(e.pool, p.pool)
		}
	}
	const mean = "pooling_mode_mean_tokens"
	if names == nil && len(e.pool) > 0 && f.raw[mean] == nil {
		f.bad(mean, "missing: before version 5.4 that means true, and since then false")
	}
	if len(e.pool) == 0 {
		e.pool = []Pooling{PoolMean}
	}
	if f.has("include_prompt") && !f.isTrue("include_prompt") {
		f.bad("include_prompt", "false is not supported: want all tokens pooled")
	}
	f.refuseUnknown(keys)
	e.width *= len(e.pool)
	e.parts = []string{poolNames(e.pool)}
	return f.err
}

// readModule reads the configuration in a module's folder.
func readModule(fsys fs.FS, folder string, required bool) (*fields, error) {
	name := folder + "/config.json"
	f, err := readFields(fsys, name)
	if err == nil && required && f.raw == nil {
		err = fmt.Errorf("%w: %s is missing", ErrConfig, name)
	}
	return f, err
}

// sentence refuses modules that read something other than the embedding, or write something
// other than out.
func (f *fields) sentence(out string) {
	for _, is := range []struct{ name, want string }{{"module_input_name", "sentence_embedding"}, {"module_output_name", out}} {
		got := "sentence_embedding"
		if f.has(is.name) {
			f.text(is.name, &got)
		}
		if got != is.want {
			f.bad(is.name, "%.80q, want %q", got, is.want)
		}
	}
}

// normalize reads the module Normalize. Versions before 6 write an empty folder, which git
// does not keep.
func (e *embedder) normalize(fsys fs.FS, folder string) error {
	f, err := readModule(fsys, folder, false)
	if err != nil {
		return err
	}
	f.sentence("sentence_embedding")
	f.refuseUnknown([]string{"module_input_name", "module_output_name"})
	e.steps = append(e.steps, func() (Step, error) { return Step{Unit: true}, nil })
	e.parts = append(e.parts, "normalize: to length 1")
	return f.err
}

// acts are PyTorch's functions that a Dense may have, by their classes; nil changes nothing.
var acts = map[string]func(float64) float64{
	"Tanh": math.Tanh, "GELU": GELU, "Identity": nil,
	"ReLU":    func(x float64) float64 { return max(x, 0) },
	"Sigmoid": func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
}

// dense reads the module Dense, whose output has the name result.
func (e *embedder) dense(fsys fs.FS, folder, result string) error {
	f, err := readModule(fsys, folder, true)
	if err != nil {
		return err
	}
	in, out, bias, name := 0, 0, true, "torch.nn.modules.activation.Tanh"
	for _, size := range []struct {
		name string
		to   *int
	}{{"in_features", &in}, {"out_features", &out}} {
		if !f.whole(size.name, size.to) || *size.to < 1 || *size.to > 1<<16 {
			f.bad(size.name, "%d, want 1 to %d", *size.to, 1<<16)
		}
	}
	if in != e.width {
		f.bad("in_features", "%d, want %d, as many as the module before it makes", in, e.width)
	}
	f.read("bias", &bias, "true or false")
	f.text("activation_function", &name)
	act, known := acts[name[strings.LastIndexByte(name, '.')+1:]]
	if !known || !strings.HasPrefix(name, "torch.nn.modules.") {
		f.bad("activation_function", "%.80q is not supported", name)
	}
	if f.isTrue("use_residual") {
		f.bad("use_residual", "true is not supported")
	}
	f.sentence(result)
	f.refuseUnknown([]string{"in_features", "out_features", "bias", "activation_function", "use_residual", "module_input_name", "module_output_name"})
	if f.err != nil {
		return f.err
	}
	without := ""
	if !bias {
		without = ", without a bias"
	}
	e.parts = append(e.parts, fmt.Sprintf("dense: %d to %d%s, %s", in, out, without, strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])))
	e.width = out
	e.steps = append(e.steps, func() (Step, error) {
		l, err := readDense(fsys, folder, out, in, bias)
		return Step{Dense: l}, err
	})
	if act != nil {
		e.steps = append(e.steps, func() (Step, error) { return Step{Act: act}, nil })
	}
	return nil
}

// readDense reads the weights of a Dense into memory.
func readDense(fsys fs.FS, folder string, out, in int, bias bool) (*Linear, error) {
	sub, err := fs.Sub(fsys, folder)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	file, err := openWeights(sub)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrWeights, folder, err)
	}
	defer file.Close()
	b := binder{file: file, used: map[string]bool{}}
	l := &Linear{W: b.copied("linear.weight", out, in)}
	want := 1
	if bias {
		l.B, want = b.copied("linear.bias", out), 2
	}
	if b.err == nil && len(file.Names()) != want {
		b.err = fmt.Errorf("%w: tensors %s, want linear.weight and its bias alone", ErrWeights, jsonscan.Quoted(file.Names(), mostNamed))
	}
	if b.err != nil {
		return nil, fmt.Errorf("%s: %w", folder, b.err)
	}
	return l, nil
}

// copied is dense in memory that does not belong to the file.
func (b *binder) copied(name string, shape ...int) *tensor.Dense {
	t := b.dense(name, shape...)
	if b.err != nil {
		return nil
	}
	var values []float32
	if b.err = b.file.Guard(func() error { values = slices.Clone(Float32s(t)); return nil }); b.err != nil {
		return nil
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))
}
