package model

import (
	"io/fs"
	"strings"
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
	e.skipPrompt = f.has("include_prompt") && !f.isTrue("include_prompt")
	f.refuseUnknown(keys)
	e.width *= len(e.pool)
	e.parts = []string{poolNames(e.pool)}
	if e.skipPrompt {
		e.parts[0] += ", without the tokens of the prompt"
	}
	return f.err
}
