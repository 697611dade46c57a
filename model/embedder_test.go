package model

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/model/modules"
)

// Whatever an embedder's files hold is read, or is an error about them.
func FuzzReadEmbedder(f *testing.F) {
	const (
		list  = `[{"type":"sentence_transformers.models.Transformer","path":""},{"type":"sentence_transformers.models.Pooling","path":"a"}`
		after = `,{"type":"sentence_transformers.models.`
	)
	for _, seed := range [][4]string{
		{list + `]`, `{"word_embedding_dimension":384,"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false}`, ``, `{"prompts":{"a":"b"},"default_prompt_name":"a"}`},
		{list + after + `Dense","path":"b"}]`, `{"pooling_mode":["mean","cls"]}`, `{"in_features":768,"out_features":3,"bias":false,"use_residual":true}`, `{"truncate_dim":2}`},
		{list + after + `Dense","path":"b"}]`, `{"pooling_mode":"lasttoken","include_prompt":false}`, `{"in_features":384,"out_features":9,"activation_function":"torch.nn.Tanh"}`, ``},
		{list + after + `LayerNorm","path":"b"}` + after + `Normalize","path":"c"}]`, `{}`, `{"dimension":384}`, ``},
		{list + after + `Dropout","path":"b"}]`, `{}`, `{"dropout":0}`, ``},
		{list + after + `Pooling","path":"b"}]`, `{"output_key":"x"}`, `{}`, `[]`},
		{`[{"type":"sentence_transformers.models.Transformer","path":"../a"}]`, `{`, `{"in_features":1e99}`, `{"truncate_dim":-1}`},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, list, pooling, module, settings string) {
		if len(list)+len(pooling)+len(module)+len(settings) > 900 { // go test makes what is new smaller, for long
			return
		}
		files := fstest.MapFS{"config.json": {Data: []byte(goodConfig)}}
		for name, content := range map[string]string{modules.File: list, "a/config.json": pooling, "b/config.json": module, modules.Settings: settings} {
			if content != "" {
				files[name] = &fstest.MapFile{Data: []byte(content)}
			}
		}
		s, err := ReadEmbedder(files)
		if err != nil {
			if !errors.Is(err, ErrConfig) || len(err.Error()) > 2000 {
				t.Errorf("error %.3000v", err)
			}
			return
		}
		e := s.embeds
		if s.Files == nil || len(s.Modules()) == 0 || len(e.pool) == 0 || e.width < 1 || e.width > 1<<16 || s.Input.DefaultPrompt != "" && s.Input.Prompts == nil {
			t.Errorf("accepted %q, %+v, %+v", s.Modules(), e, s.Input)
		}
		// No module of these has its weights.
		if h, err := e.head(); err != nil && !errors.Is(err, ErrWeights) || err == nil && h.Out(384*len(h.Pool)) != e.width {
			t.Errorf("%+v, %v", h, err)
		}
	})
}
