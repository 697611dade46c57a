package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

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
	info   engine.Info
	does   task
	since  int64 // when it was ready, in seconds of Unix
	meters *meters
	speed  speed
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
		case !utf8.ValidString(m.Name): // metrics have it as a label
			return fmt.Errorf("serve: model %d: the name %q is not UTF-8", i, m.Name)
		}
		for _, other := range all[:i] {
			if other.Name == m.Name {
				return fmt.Errorf("serve: two models are called %q", m.Name)
			}
		}
		all[i] = &served{Model: m, info: m.Engine.Info(), since: time.Now().Unix()}
		switch info := &all[i].info; {
		case info.Dimensions > 0:
			all[i].does = embedding
		case info.Labels != nil:
			all[i].does = classifying
		}
	}
	h.metrics.meter(all)
	h.models.Store(&all)
	return nil
}

// onlyVersion is the version that each model has, in paths that name one.
const onlyVersion = "1"

// inPath is the model that a request's path names: the default, where it names none. Other than
// a body's, a path's name must be that of a model. There must have been a Use.
func (h *Handler) inPath(r *http.Request) (*served, *failure) {
	name, version := inPattern(r, "model"), inPattern(r, "version")
	if name == "" {
		return (*h.models.Load())[0], nil
	}
	m, f := h.named(name)
	if f == nil && version != "" && version != onlyVersion {
		return nil, about("version", noModel, "model %q has no version %.80q, want %s", m.Name, version, onlyVersion)
	}
	return m, f
}

// inPattern is what a request's path has for a wildcard of the route's, "" if the route has no such
// one. Routers that have handed the request on may have set values of the same name.
func inPattern(r *http.Request, wildcard string) string {
	if !strings.Contains(r.Pattern, "{"+wildcard+"}") {
		return ""
	}
	return r.PathValue(wildcard)
}

// inBody is the model that a body's field names, or other. Its dialect may not know the field, and
// a wrong name is found when the question is there (choose).
func (h *Handler) inBody(b *body, other *served) *served {
	i, has := b.at["model"]
	if !has {
		return other
	}
	var name string
	if json.Unmarshal(b.fields[i].json, &name) != nil {
		return other
	}
	if m, f := h.named(name); f == nil {
		return m
	}
	return other
}

// choose returns the model that a question is for. One model answers to every name, because
// clients must send one and know another; of several, a name that none has is a failure.
func (h *Handler) choose(q *question) (*served, *failure) {
	all := *h.models.Load()
	if q.model != "" && len(all) > 1 {
		return h.named(q.model)
	}
	able := all[0] // which says what it cannot, if none can
	for _, m := range all {
		if m.does == q.task {
			return m, nil
		}
		if m.can(q) && !able.can(q) {
			able = m
		}
	}
	return able, nil
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
	return nil, about("model", noModel, "no model %.80q, want %s", name, strings.Join(known, " or "))
}

// can reports whether the model has answers to such a question. A reranker's score is also the
// probability of its only label.
func (m *served) can(q *question) bool {
	return q.task >= tokenizing || q.task == m.does || q.task == classifying && m.does == scoring
}
