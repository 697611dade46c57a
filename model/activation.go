package model

import (
	"fmt"
	"strings"
)

// Activation is the function that sentence-transformers applies to a checkpoint's logits,
// unless its caller names another. The engine does not apply it: it returns raw logits
// unless the option Sigmoid is given. Values other than the two below are PyTorch's name of
// the function, such as "torch.nn.modules.activation.Tanh".
type Activation string

const (
	Identity Activation = "identity"
	Sigmoid  Activation = "sigmoid"
)

// defaultActivation returns the activation of a checkpoint whose files name none.
func defaultActivation(labels int) Activation {
	if labels == 1 {
		return Sigmoid
	}
	return Identity
}

// The two fields of config.json that can name an activation: sentence-transformers wrote
// the first before version 4, and writes the second since then.
const (
	oldActivation = "sbert_ce_default_activation_function"
	newActivation = "activation_fn" // inside "sentence_transformers"
)

// activation reads the activation from config.json. If the newer field is there, only that
// one counts, even if it is null, which means the default.
func (s *Spec) activation(f *fields) {
	var inner fields
	if f.has("sentence_transformers") {
		inner.file = f.file + ": sentence_transformers"
		f.read("sentence_transformers", &inner.raw, "an object")
	}
	if _, ok := inner.raw[newActivation]; ok {
		s.Activation = s.namedActivation(&inner, newActivation)
		f.err = firstError(f.err, inner.err)
		return
	}
	s.Activation = s.namedActivation(f, oldActivation)
}

// namedActivation returns the activation that a field names, or "". A name that is not
// PyTorch's own would be untrusted code; like the library, it ignores that.
func (s *Spec) namedActivation(f *fields, field string) Activation {
	var name string
	if !f.has(field) || !f.text(field, &name) {
		return ""
	}
	kind := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case !strings.HasPrefix(name, "torch."):
		s.warn("%s: %s: %.80q is not one of PyTorch's: the default counts, as in sentence-transformers", f.file, field, name)
		return ""
	case kind == "Identity":
		return Identity
	case kind == "Sigmoid":
		return Sigmoid
	}
	s.warn("%s: %s: %.80q is not computed here: scores are raw logits, or their sigmoid", f.file, field, name)
	return Activation(name)
}

func (s *Spec) warn(format string, args ...any) {
	s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...))
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
