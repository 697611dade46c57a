package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// Softmax is what makes probabilities of the logits of labels of which one is right. It is no
// activation of a cross-encoder: see Meaning.
const Softmax Activation = "softmax"

// ErrLabels is in every error about a classifier with several labels: it sorts texts into
// classes, but gives pairs no score to rank by.
var ErrLabels = errors.New("model: several labels")

// errLabels returns the error of a head with more than one label.
func errLabels(labels int, of string) error {
	return otherKind{ErrLabels, fmt.Errorf("model: %s has %d labels, want 1: the model sorts pairs into classes, and gives them no single score", of, labels)}
}

// Meaning is what the logits of a classifier say.
type Meaning struct {
	Labels []string // their names, in the order of the logits
	// Final makes of the logits what they stand for: Softmax, Sigmoid or, for values that are
	// no probabilities, Identity.
	Final Activation
}

// Meaning returns what config.json says about the logits of a classifier with n labels, as
// the text-classification pipeline of transformers understands it. Labels without a name are
// LABEL_0, LABEL_1 and so on, as there.
func (s *Spec) Meaning(n int) (Meaning, error) {
	m := Meaning{Final: Softmax}
	for i := range n {
		m.Labels = append(m.Labels, "LABEL_"+strconv.Itoa(i))
	}
	// If there are more or fewer names than labels, transformers drops them all.
	if len(s.labelNames) == n {
		for i := range m.Labels {
			name, named := s.labelNames[i]
			if !named {
				return m, fmt.Errorf("%w: config.json: id2label: %d labels, and none is number %d", ErrConfig, n, i)
			}
			m.Labels[i] = name
		}
	}
	switch s.problem {
	case "regression":
		m.Final = Identity
	case "multi_label_classification":
		m.Final = Sigmoid
	case "", "single_label_classification":
		if n == 1 {
			m.Final = Sigmoid
		}
	default:
		return m, fmt.Errorf("%w: config.json: problem_type: %s, want regression, single_label_classification or multi_label_classification", ErrConfig, s.problem)
	}
	return m, nil
}

// Apply makes of a sequence's logits, in place, what they stand for. It computes in float64.
// Logits that are not numbers make values that are none.
func (m *Meaning) Apply(logits []float32) {
	switch m.Final {
	case Sigmoid:
		for i, x := range logits {
			logits[i] = SigmoidOf(x)
		}
	case Softmax:
		// No exponent is above 0, so that none overflows, and the sum is at least 1: also
		// where all logits are far below 0.
		largest, sum := float64(slices.Max(logits)), 0.0
		for _, x := range logits {
			sum += math.Exp(float64(x) - largest)
		}
		for i, x := range logits {
			logits[i] = float32(math.Exp(float64(x)-largest) / sum)
		}
	}
}

// SigmoidOf returns 1/(1+exp(-logit)), computed in float64 and rounded once.
func SigmoidOf(logit float32) float32 { return float32(1 / (1 + math.Exp(-float64(logit)))) }

// labels reads id2label and problem_type. Scores depend on neither; only the number of labels
// matters there. If num_labels contradicts it, older versions of transformers use id2label and
// newer ones num_labels: the shape of the classifier's weights decides.
func (s *Spec) labels(f *fields) {
	// An unknown one is refused by Meaning: scores of other kinds do not depend on it.
	if f.has("problem_type") {
		if s.problem = jsonscan.Shown(f.raw["problem_type"]); s.problem[0] == '"' {
			f.text("problem_type", &s.problem)
		}
	}
	var names map[string]json.RawMessage
	if !f.has("id2label") || !f.read("id2label", &names, "an object of labels by number") {
		return
	}
	s.labelNames = make(map[int]string, len(names))
	for _, key := range slices.Sorted(maps.Keys(names)) {
		id, err := strconv.Atoi(key)
		if err != nil {
			f.bad("id2label", "label %.80q, want a number", key)
			return
		}
		text := ""
		if raw := names[key]; raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
			text = jsonscan.Shown(raw) // numbers are usual, too
		}
		s.labelNames[id] = text
	}
	switch n := len(s.labelNames); {
	case n == 0, n == s.Labels:
	case s.Labels == 0:
		s.Labels = n
	default:
		s.numLabels, s.idLabels, s.Labels = s.Labels, n, 0
	}
}
