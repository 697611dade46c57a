package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/serve"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// source is a model's name in requests, and where it is found.
type source struct{ name, of string }

// sources reads the values of --model.
func (f *serveFlags) sources() ([]source, error) {
	if len(f.models) == 0 {
		return []source{{hub.MiniLM().ID, ""}}, nil
	}
	var all []source
	for _, value := range f.models {
		s := source{value, value}
		if strings.HasPrefix(value, ".") || filepath.IsAbs(value) { // which may have "=" in it
			full, err := filepath.Abs(value)
			if err != nil {
				return nil, err
			}
			s.name = filepath.Base(full)
		} else if name, of, named := strings.Cut(value, "="); named {
			s = source{name, of}
		}
		if s.name == "" || s.of == "" {
			return nil, usageError("--model %q: want NAME=DIR, a directory, or a Hugging Face id", value)
		}
		if !utf8.ValidString(s.name) {
			return nil, usageError("--model %q: the name is not UTF-8, want NAME=DIR", value)
		}
		for _, other := range all {
			if other.name == s.name {
				return nil, usageError("--model %q: %q is another model's name already", value, s.name)
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// locate finds the files of all models, before any is opened: that takes time, and what is wrong
// with the last should be said at once.
func (p *program) locate(all []source) error {
	for i := range all {
		s := &all[i]
		_, err := p.encoder(cmp.Or(s.of, hub.MiniLM().ID), hub.Complete)
		if s.of == "" && (errors.Is(err, hub.ErrNotFound) || errors.Is(err, hub.ErrIncomplete)) {
			s.name = syntheticName // and not that of weights which are not there
			continue
		}
		if err != nil {
			return fmt.Errorf("model %s: %w", s.name, err)
		}
	}
	return nil
}

// openModels opens each model and warms it up. On an error those that are open already are
// closed. h gets the sizes of their passes.
func (p *program) openModels(ctx context.Context, f *serveFlags, all []source, h *serve.Handler, log *slog.Logger) (models []serve.Model, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, closeModels(models))
			models = nil
		}
	}()
	for _, s := range all {
		if err := ctx.Err(); err != nil {
			return models, err
		}
		began, flags := time.Now(), f.engine
		flags.model, flags.logged = s.of, true
		e, _, err := flags.openAny(p, engine.MaxLength(f.maxLength), engine.MaxQueue(f.queue), engine.MaxWait(f.wait),
			engine.Observe(h.Passes(s.name)), engine.Logger(log))
		if err != nil {
			return models, fmt.Errorf("model %s: %w", s.name, err)
		}
		models = append(models, serve.Model{Name: s.name, Engine: e})
		if err := warm(ctx, e); err != nil {
			return models, fmt.Errorf("model %s: %w", s.name, err)
		}
		info := e.Info()
		log.Info("model", "name", s.name, "device", info.Device, "instructions", info.InstructionSet, "precision", info.Precision,
			"workers", info.Workers, "max_length", info.MaxLength, "took", time.Since(began).Round(time.Millisecond))
	}
	return models, nil
}

func closeModels(models []serve.Model) error {
	var errs []error
	for _, m := range models {
		errs = append(errs, m.Engine.Close())
	}
	return errors.Join(errs...)
}

// warm has the engine compute passes that are as large as they get, one for each worker, so that
// the first request does not wait for memory or for a device's compiler.
func warm(ctx context.Context, e *engine.Engine) error {
	info := e.Info()
	const around = 3 // [CLS] and two [SEP]
	text := strings.Repeat("a ", max(1, info.MaxLength-around-1))
	n := info.Workers * max(1, info.TokenBudget/info.MaxLength)
	var err error
	switch {
	case info.Dimensions > 0:
		_, err = e.Embed(ctx, nil, repeated(text, n))
	case info.Labels != nil:
		_, err = e.ClassifyPairs(ctx, nil, repeated(engine.Pair{Query: "a", Passage: text}, n))
	default:
		_, err = e.Score(ctx, nil, repeated(engine.Pair{Query: "a", Passage: text}, n))
	}
	// A prompt may leave no room in a model that cuts nothing. Then it starts cold; and a queue
	// that is shorter than a pass begins with what it takes.
	if errors.Is(err, engine.ErrTooLong) || errors.Is(err, engine.ErrOverloaded) {
		return nil
	}
	return err
}

func repeated[T any](v T, n int) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v
	}
	return all
}
