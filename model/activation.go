package model

import (
	"fmt"
	"strings"
)

// Activation is the function that sentence-transformers puts on a checkpoint's logits
// unless its caller names another. The engine returns raw logits unless told otherwise;
// this says what others do. Where it is neither of the two below it is PyTorch's name for
// it, such as "torch.nn.modules.activation.Tanh".
type Activation string

const (
	Identity Activation = "identity"
	Sigmoid  Activation = "sigmoid"
)

// defaultActivation is what is taken where no file says otherwise.
func defaultActivation(labels int) Activation {
	if labels == 1 {
		return Sigmoid
	}
	return Identity
}

// The two fields of config.json that have named an activation: the first as
// sentence-transformers wrote it before version 4, the second from then on.
const (
	oldActivation = "sbert_ce_default_activation_function"
	newActivation = "activation_fn" // inside "sentence_transformers"
)

// activation reads what config.json says. Where the newer field is there, it alone counts,
// even as null, which asks for the default.
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

// namedActivation returns the activation that a field names, "" where it names none. As in
// the library, what is not PyTorch's own is code that nobody trusts, and does not count.
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
