package model

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
	"gorgonia.org/tensor"
)

// Weights are a checkpoint's tensors by their place in the model, as float32, each with
// exactly the shape that its Config requires. If the file's format allows it, they are
// mapped memory that is read when it is first used. They are never written to.
type Weights struct {
	Config             Config
	WordEmbeddings     *tensor.Dense // vocabulary × embedding size
	PositionEmbeddings *tensor.Dense // positions × embedding size
	TypeEmbeddings     *tensor.Dense // types × embedding size
	EmbeddingNorm      Norm
	Projection         *Linear // embedding size -> hidden, after that norm; nil if both are the same
	Layers             []Layer
	Head               Head // without steps in an encoder without a head
	Embeds             bool // the head makes an embedding, and no scores

	// Warnings say which parts of the checkpoint are not used or contradict themselves,
	// without making scores wrong; one a line.
	Warnings []string

	file       *safetensors.File
	parameters int64
}

// Layer has the weights of one encoder layer.
type Layer struct {
	Query, Key, Value Linear // hidden -> hidden
	Output            Linear // hidden -> hidden, Wo
	AttentionNorm     Norm
	Up, Down          Linear // hidden -> intermediate -> hidden, W1 and W2
	OutputNorm        Norm
}

// Linear is y = W·x + b.
type Linear struct {
	W *tensor.Dense // out × in
	B *tensor.Dense // out; only in a head it may be nil
}

// Bias returns b, or zeros in place of a bias that is missing.
func (l *Linear) Bias() []float32 {
	if l.B == nil {
		return make([]float32, l.W.Shape()[0])
	}
	return Float32s(l.B)
}

// Norm is the gain and bias of a LayerNorm, with one value for each channel.
type Norm struct{ Gain, Bias *tensor.Dense }

// ErrWeights is in every error about tensors that are missing, exist under two names, or do
// not have the shape that the config requires, and about values that are not numbers. Its
// own text is only the beginning of such errors.
var ErrWeights = errors.New("model")

// ErrNoHead is in every error about a checkpoint without a classification head: it can encode,
// as for embeddings, but not score.
var ErrNoHead = errors.New("model: the checkpoint has no classification head (no classifier.weight): it is an encoder, as for embeddings, and not a cross-encoder")

// Load reads the configuration and the weights (one file, or shards with an index, of
// safetensors or else of PyTorch) at the top of fsys. Close the weights to unmap their memory.
func Load(fsys fs.FS) (*Weights, error) {
	s, err := ReadSpec(fsys)
	if err != nil {
		return nil, err
	}
	return s.Load()
}

// Load reads the weights in Files.
func (s *Spec) Load() (*Weights, error) {
	file, err := openWeights(s.Files)
	if err != nil {
		return nil, err
	}
	w, err := bind(&s.Config, file, s.modular == nil)
	switch {
	case err != nil:
	case s.embeds != nil:
		w.Embeds = true
		err = s.moduleHead(w, s.embeds)
	case s.modular != nil:
		err = s.moduleHead(w, s.modular)
	default:
		err = s.compare(w)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return w, nil
}

// moduleHead gives an encoder the head that the modules make, in place of a classifier.
func (s *Spec) moduleHead(w *Weights, e *embedder) (err error) {
	w.Warnings = slices.Concat(s.Warnings, w.Warnings)
	w.Head, err = e.head()
	return err
}

// compare checks what config.json says, apart from the shape, against the weights, and adds
// the configuration's warnings to theirs.
func (s Spec) compare(w *Weights) error {
	if s.numLabels != 0 && w.scores() {
		if w.Config.Labels != s.numLabels && w.Config.Labels != s.idLabels {
			return fmt.Errorf("%w: config.json: num_labels is %d, id2label has %d, and the classifier %d", ErrConfig, s.numLabels, s.idLabels, w.Config.Labels)
		}
		s.warn("config.json: num_labels is %d, but id2label has %d: the classifier has %d, and counts", s.numLabels, s.idLabels, w.Config.Labels)
	}
	if w.scores() && !s.ownHead() {
		s.warn("config.json: architectures is %.80q, not %s: the scores may mean something else", s.architectures[:min(len(s.architectures), mostNamed)], s.architecture().seqClass())
	}
	w.Warnings = slices.Concat(s.Warnings, w.Warnings)
	return nil
}

// Bind finds the tensors of c's model in file, which then belongs to the Weights. As in
// transformers, tensors that the model does not need are ignored; Warnings names them, so
// that a config with too few layers is noticed.
func Bind(c *Config, file *safetensors.File) (*Weights, error) { return bind(c, file, true) }

// bind is Bind. Without classifier it ignores one that is in the file.
func bind(c *Config, file *safetensors.File, classifier bool) (*Weights, error) {
	a := c.architecture()
	b := binder{file: file, arch: a, used: map[string]bool{}}
	b.begin()
	w := &Weights{Config: *c, file: file}
	h, f, e, n := c.HiddenSize, c.IntermediateSize, c.embedding(), &a.names
	w.WordEmbeddings = b.dense(n.word+".weight", c.VocabSize, e)
	w.PositionEmbeddings = b.dense(n.position+".weight", c.MaxPositions, e)
	if n.types != "" {
		w.TypeEmbeddings = b.dense(n.types+".weight", c.TypeVocabSize, e)
	} else { // adding 0 changes nothing
		w.TypeEmbeddings = tensor.New(tensor.WithShape(c.TypeVocabSize, e), tensor.WithBacking(make([]float32, c.TypeVocabSize*e)))
	}
	w.EmbeddingNorm = b.norm(n.norm, e)
	if c.EmbeddingSize > 0 {
		p := b.linear(n.project, h, e)
		w.Projection = &p
	}
	for i := range c.Layers {
		in := fmt.Sprintf(n.layer, i)
		w.Layers = append(w.Layers, Layer{
			Query:         b.linear(in+n.query, h, h),
			Key:           b.linear(in+n.key, h, h),
			Value:         b.linear(in+n.value, h, h),
			Output:        b.linear(in+n.output, h, h),
			AttentionNorm: b.norm(in+n.attentionNorm, h),
			Up:            b.linear(in+n.up, f, h),
			Down:          b.linear(in+n.down, h, f),
			OutputNorm:    b.norm(in+n.outputNorm, h),
		})
		if b.err != nil {
			return nil, b.err // a config with too many layers stops here, not after 1000 of them
		}
	}
	if names := b.names(a.classifier); classifier && len(names) > 0 {
		if rows, _ := file.Lookup(names[0]); w.Config.Labels == 0 && len(rows.Shape) > 0 {
			w.Config.Labels = rows.Shape[0]
		}
		w.Head = Head{Pool: []Pooling{PoolCls}, Steps: a.head(&b, &w.Config)}
	}
	if w.Config.Activation == "" {
		w.Config.Activation = defaultActivation(w.Config.Labels)
	}
	b.positions()
	w.parameters = b.parameters
	w.Warnings = b.unused(w.scores())
	return w, b.err
}

// Format returns the format of the file that the weights are in: "safetensors" or "PyTorch".
func (w *Weights) Format() string { return w.file.Format() }

// Parameters returns the number of values in all of the model's tensors.
func (w *Weights) Parameters() int64 { return w.parameters }

// scores reports whether there is a classification head.
func (w *Weights) scores() bool { return len(w.Head.Steps) > 0 && !w.Embeds }

// CheckHead returns an error if these weights cannot score.
func (w *Weights) CheckHead() error {
	switch {
	case !w.scores():
		return ErrNoHead
	case w.Config.Labels != 1:
		return errLabels(w.Config.Labels, "the classifier")
	}
	return nil
}

// CheckClassifier returns an error if these weights have no labels.
func (w *Weights) CheckClassifier() error {
	if !w.scores() {
		return ErrNoHead
	}
	return nil
}

// CheckHead returns an error if weights with this configuration cannot score, as far as
// this is known without reading them.
func (s *Spec) CheckHead() error {
	if s.Labels > 1 && (s.modular != nil || len(s.architectures) > 0 && s.ownHead()) {
		return errLabels(s.Labels, "config.json")
	}
	return nil
}

// CheckKind is CheckHead for a checkpoint whose weights cannot be read. It recognizes an
// encoder without a head by the class names in architectures.
func (s *Spec) CheckKind() error {
	ofHead := func(class string) bool { return strings.HasSuffix(class, "ForSequenceClassification") }
	if s.modular == nil && len(s.architectures) > 0 && !slices.ContainsFunc(s.architectures, ofHead) {
		return otherKind{ErrNoHead, fmt.Errorf("%w: config.json: architectures is %.80q, which has no classification head: it is an encoder, as for embeddings, and not a cross-encoder",
			ErrConfig, s.architectures[:min(len(s.architectures), mostNamed)])}
	}
	return s.CheckHead()
}

// otherKind is an error about a model that is of use, but not for scores: its text is that of
// the cause, and kind says what else it is.
type otherKind struct{ kind, cause error }

func (e otherKind) Error() string   { return e.cause.Error() }
func (e otherKind) Unwrap() []error { return []error{e.kind, e.cause} }

// Close unmaps the weights, which must not be used afterwards.
func (w *Weights) Close() error { return w.file.Close() }

// Release returns the physical memory of mapped weights to the system. Call it when a
// device has packed its own copy. Weights that are used again are read from the file again.
func (w *Weights) Release() {
	for _, name := range w.file.Names() {
		if t, ok := w.file.Lookup(name); ok {
			t.Release()
		}
	}
}

// Detached returns values, which belong to these weights, in memory that is not a mapped
// file's. If necessary, it copies them. Call it under Guard.
func (w *Weights) Detached(values []float32) []float32 { return w.file.Detached(values) }

// Guard runs read, which may read the weights. If the file was truncated meanwhile, which
// would otherwise crash the process, or was written to, which would change the weights, it
// returns an error: see [safetensors.File.Guard].
func (w *Weights) Guard(read func() error) error { return w.file.Guard(read) }

// Float32s returns the values of a weight tensor, row-major, without copying them.
func Float32s(t *tensor.Dense) []float32 { return t.Data().([]float32) }
