package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// about is what Probe found out.
type about struct {
	model, version, dtype string
	probed                bool // the dialect was found by trying
}

// About describes the server, as far as it tells: what is empty it did not.
type About struct {
	URL     string // without a key
	Dialect string
	Path    string // that requests go to, after the URL
	Probed  bool   // the dialect was found by trying, not named
	Model   string // in its own words
	Version string
	DType   string // of the weights
}

// Embeds says whether a score is the cosine of two embeddings, and no reranker's.
func (a About) Embeds() bool { return a.Dialect == OpenAI }

// About returns what Probe found.
func (c *Client) About() About {
	return About{c.base, c.dialect, c.path, c.probed, c.model, c.version, c.dtype}
}

// Probe finds the dialect, by a request of one pair in each, and asks the server about
// itself. Without a single answer its error has all of theirs.
func (c *Client) Probe(ctx context.Context) error {
	c.describe(ctx)
	var failed []error
	for _, t := range targets {
		if c.o.Dialect != "" && t.dialect != c.o.Dialect {
			continue
		}
		if _, err := t.scores(c, ctx, t.path, "a", []string{"b"}); err != nil {
			if ctx.Err() != nil {
				return err
			}
			failed = append(failed, fmt.Errorf("%s at %s: %w", t.dialect, t.path, err))
			continue
		}
		c.target, c.probed = t, c.o.Dialect == ""
		return nil
	}
	if !slices.ContainsFunc(failed, func(err error) bool { return !unreached(err) }) {
		return fmt.Errorf("remote: no server answers at %s: is it running? %w", c.base, failed[0])
	}
	return fmt.Errorf("remote: %s answers in no dialect that is known here: %w", c.base, errors.Join(failed...))
}

// unreached reports whether a request had no answer, in whatever dialect.
func unreached(err error) bool {
	var miss *Error
	return errors.As(err, &miss) && (miss.Kind == KindConnection || miss.Kind == KindTimeout)
}

// longestWord bounds what a server may say of itself.
const longestWord = 200

// describe asks TEI's /info, and then the lists of models that others have. A server need
// not have any.
func (c *Client) describe(ctx context.Context) {
	c.model = c.o.Model
	var info struct {
		Model   string `json:"model_id"`
		DType   string `json:"model_dtype"`
		Version string `json:"version"`
	}
	if c.do(ctx, "GET", "/info", nil, &info) == nil {
		c.version, c.dtype = word(info.Version), word(info.DType)
		c.named(info.Model)
	}
	for _, path := range []string{"/v1/models", "/models"} {
		if c.model != "" {
			return
		}
		var list struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		if c.do(ctx, "GET", path, nil, &list) == nil && len(list.Data) > 0 {
			c.named(list.Data[0].ID)
		}
	}
}

func (c *Client) named(model string) {
	if c.model == "" {
		c.model = word(model)
	}
}

func word(s string) string { return strings.ToValidUTF8(s[:min(len(s), longestWord)], "") }
