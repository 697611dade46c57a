package serve

import (
	"errors"
	"fmt"
	"strings"

	"github.com/minilm-metal/minilm-metal/engine"
)

// Model is an engine under a name. The name is what answers call the model, and how requests
// choose among several.
type Model struct {
	Name   string
	Engine *engine.Engine
}

// served is a model with what is known of it.
type served struct {
	Model
	info engine.Info
	does task
}

// Use sets the models, which are open and warm, and makes the handler ready. The first is the
// default of requests that name none; where a path needs another kind of model, it is the first
// of that kind. Names must differ. Engines stay the caller's to close, after the last request.
func (h *Handler) Use(models ...Model) error {
	if len(models) == 0 {
		return errors.New("serve: no models")
	}
	all := make([]*served, len(models))
	for i, m := range models {
		switch {
		case m.Engine == nil:
			return fmt.Errorf("serve: model %d has no engine", i)
		case m.Name == "":
			return fmt.Errorf("serve: model %d has no name", i)
		}
		for _, other := range all[:i] {
			if other.Name == m.Name {
				return fmt.Errorf("serve: two models are called %q", m.Name)
			}
		}
		all[i] = &served{Model: m, info: m.Engine.Info()}
		switch info := &all[i].info; {
		case info.Dimensions > 0:
			all[i].does = embedding
		case info.Labels != nil:
			all[i].does = classifying
		}
	}
	h.models.Store(&all)
	return nil
}

// first is the default model. Before Use there is none.
func (h *Handler) first() *served { return (*h.models.Load())[0] }

// choose returns the model that a question is for. One model answers to every name, because
// clients must send one and know another; of several, a name that none has is a failure.
func (h *Handler) choose(q *question) (*served, *failure) {
	all := *h.models.Load()
	if q.model != "" && len(all) > 1 {
		return h.named(q.model)
	}
	for _, m := range all {
		if m.can(q) {
			return m, nil
		}
	}
	return all[0], nil // which says what it cannot
}

// named returns the model of a name.
func (h *Handler) named(name string) (*served, *failure) {
	all := *h.models.Load()
	var known []string
	for _, m := range all {
		if m.Name == name {
			return m, nil
		}
		known = append(known, m.Name)
	}
	return nil, about("model", noModel, "no model %.80q, want one of %s", name, strings.Join(known, ", "))
}

// can reports whether the model has answers to such a question. A reranker's score is also the
// probability of its only label.
func (m *served) can(q *question) bool {
	return q.task == tokenizing || q.task == m.does || q.task == classifying && m.does == scoring
}
