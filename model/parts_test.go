package model

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/model/modules"
)

// What a sentence-transformers of version 6.2 writes of a cross-encoder, with prompts.
const (
	oneModule  = `[{"idx":0,"name":"0","path":"","type":"sentence_transformers.base.modules.transformer.Transformer"}]`
	withPrompt = `{"__version__":{"sentence_transformers":"6.2.0"},"model_type":"CrossEncoder","activation_fn":"torch.nn.modules.linear.Identity",
"prompts":{"ask":"ask: ","none":null},"default_prompt_name":"ask"}`
	ofScores = `{"transformer_task":"sequence-classification","module_output_name":"scores",
"modality_config":{"text":{"method":"forward","method_output_name":"logits"}}}`
)

// modular is a checkpoint's configuration of these files; "" is one that is not there.
func modular(config, list, settings, input string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range map[string]string{"config.json": config, modules.File: list, modules.Settings: settings, modules.InputSettings[0]: input} {
		if text != "" {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return fsys
}

// member puts a member into an object's JSON, after the others; the last of a name counts.
func member(object, name, value string) string {
	return strings.TrimSuffix(strings.TrimSpace(object), "}") + `,"` + name + `":` + value + "}"
}

// A cross-encoder is opened by its modules' files where they are there, and by config.json
// alone where they are another model's.
func TestModulesOfACrossEncoder(t *testing.T) {
	asIt := Input{Prompts: map[string]string{"ask": "ask: ", "none": ""}, DefaultPrompt: "ask"}
	for _, c := range []struct {
		name, list, settings, input string
		activation                  Activation
		want                        func(*Input)
	}{
		{"as it is", oneModule, withPrompt, ofScores, Identity, func(*Input) {}},
		{"no modules", "", withPrompt, ofScores, Sigmoid, func(i *Input) { *i = Input{} }},
		{"no settings", oneModule, "", "", Sigmoid, func(i *Input) { *i = Input{} }},
		{"an embedder's", oneModule, member(withPrompt, "model_type", `"SentenceTransformer"`), "", Sigmoid, func(i *Input) { *i = Input{} }},
		{"no activation", oneModule, member(withPrompt, newActivation, "null"), ofScores, Sigmoid, func(*Input) {}},
		{"code for one", oneModule, member(withPrompt, newActivation, `"my.Act"`), ofScores, Sigmoid, func(*Input) {}},
		{"no default prompt", oneModule, member(withPrompt, "default_prompt_name", "null"), ofScores, Identity, func(i *Input) { i.DefaultPrompt = "" }},
		{"no prompts", oneModule, `{"model_type":"CrossEncoder"}`, ofScores, Sigmoid, func(i *Input) { *i = Input{} }},
		{"as an old version would", strings.Replace(oneModule, "base.modules.transformer.", "models.", 1), withPrompt, ofScores, Identity, func(*Input) {}},
		{"no modality_config", oneModule, withPrompt, `{"transformer_task":"sequence-classification"}`, Identity, func(*Input) {}},
		{"a list for the output", oneModule, withPrompt, strings.Replace(ofScores, `"logits"`, `["logits"]`, 1), Identity, func(*Input) {}},
		{"a length", oneModule, withPrompt, member(ofScores, "max_seq_length", "24"), Identity, func(i *Input) {
			i.MaxLength, i.LengthSource = 24, "sentence_bert_config.json: max_seq_length"
		}},
		{"lower case", oneModule, withPrompt, member(ofScores, "do_lower_case", "true"), Identity, func(i *Input) { i.Lowercase = true }},
		{"no lower case", oneModule, withPrompt, member(member(ofScores, "do_lower_case", "null"), "max_seq_length", "null"), Identity, func(*Input) {}},
		{"processing", oneModule, withPrompt, member(ofScores, "processing_kwargs", `{"text":{"max_length":24,"truncation":"only_second"}}`), Identity, func(i *Input) {
			i.MaxLength, i.LengthSource, i.Strategy = 24, "sentence_bert_config.json: processing_kwargs: text: max_length", "only_second"
		}},
		{"common more than text", oneModule, withPrompt, member(ofScores, "processing_kwargs", `{"common":{"max_length":30},"text":{"max_length":24,"truncation":true}}`), Identity, func(i *Input) {
			i.MaxLength, i.LengthSource, i.Strategy = 30, "sentence_bert_config.json: processing_kwargs: common: max_length", "longest_first"
		}},
		{"common takes back", oneModule, withPrompt, member(member(ofScores, "max_seq_length", "40"), "processing_kwargs", `{"common":{"max_length":null},"text":{"max_length":24,"truncation":false}}`), Identity, func(i *Input) {
			i.MaxLength, i.LengthSource, i.Strategy = 40, "sentence_bert_config.json: max_seq_length", "do_not_truncate"
		}},
		{"what changes nothing", oneModule, member(member(member(withPrompt, "keep_in_fp32_modules", `["0.model.classifier"]`), "requirements", `["x"]`), "new", "null"),
			member(member(ofScores, "query_length", "8"), "processing_kwargs", `{"text":{"padding":"max_length","stride":0,"return_length":true,"padding_side":"right"},"image":{"size":3}}`), Identity, func(*Input) {}},
	} {
		s, err := ReadSpec(modular(goodConfig, c.list, c.settings, c.input))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := asIt
		c.want(&want)
		got := s.Input
		same := maps.Equal(got.Prompts, want.Prompts)
		got.Prompts, want.Prompts = nil, nil
		if !same || got.DefaultPrompt != want.DefaultPrompt || got.MaxLength != want.MaxLength || got.LengthSource != want.LengthSource ||
			got.Strategy != want.Strategy || got.Lowercase != want.Lowercase || s.Activation != c.activation {
			t.Errorf("%s: %+v %s, want %+v %s", c.name, s.Input, s.Activation, want, c.activation)
		}
	}
}

// What is not an activation of PyTorch's own leaves that of config.json, as in the library.
func TestActivationThatDoesNotCount(t *testing.T) {
	config := member(goodConfig, oldActivation, `"torch.nn.modules.linear.Identity"`)
	for _, value := range []string{"null", `"my.Act"`} {
		s, err := ReadSpec(modular(config, oneModule, member(withPrompt, newActivation, value), ofScores))
		if err != nil || s.Activation != Identity {
			t.Errorf("%s: %+v, %v", value, s, err)
		}
	}
}

// What of these files would change scores in another way is refused, by its file and key,
// and so is what nobody knows.
func TestModulesRefused(t *testing.T) {
	text := func(name, value string) string {
		return member(ofScores, "processing_kwargs", `{"text":{"`+name+`":`+value+`}}`)
	}
	second := func(kind string) string {
		return strings.TrimSuffix(oneModule, "]") + `,{"idx":1,"name":"1","path":"1_X","type":"sentence_transformers.` + kind + `"}]`
	}
	settings := func(name, value string) string { return member(withPrompt, name, value) }
	for _, c := range []struct{ name, list, settings, input, says string }{
		{"a Dense", strings.TrimSuffix(second("models.Pooling"), "]") + `,{"path":"2_Dense","type":"sentence_transformers.models.Dense"}]`, withPrompt, ofScores,
			"1_X/config.json is missing"},
		{"a Dense alone", strings.TrimSuffix(oneModule, "]") + `,{"path":"1_Dense","type":"sentence_transformers.models.Dense"}]`, withPrompt, ofScores,
			`modules.json: module 1, "sentence_transformers.models.Dense", makes the score, in the folder 1_Dense: want a Pooling before it`},
		{"a Normalize", second("models.Normalize"), withPrompt, ofScores, `modules.json: module 1, "sentence_transformers.models.Normalize", is not supported`},
		{"an unknown module", second("models.Nobody"), withPrompt, ofScores, `modules.json: module 1, "sentence_transformers.models.Nobody", is not supported`},
		{"two", second("models.Transformer"), withPrompt, ofScores, "modules.json: module 1, "},
		{"a Router", strings.Replace(oneModule, "Transformer\"", "Router\"", 1), withPrompt, ofScores, "Router\", is not supported: want sentence-transformers' own Transformer"},
		{"somebody's Transformer", strings.Replace(oneModule, "sentence_transformers", "mine", 1), withPrompt, ofScores, `module 0, "mine.base`},
		{"none", `[]`, withPrompt, ofScores, "modules.json: no modules"},
		{"modules that are none", `{}`, withPrompt, ofScores, "modules.json: {}, want a list of modules"},
		{"no path", `[{"type":"sentence_transformers.models.Transformer"}]`, withPrompt, ofScores, "modules.json: module 0: path: missing"},
		{"a path upwards", strings.Replace(oneModule, `"path":""`, `"path":"a/../.."`, 1), withPrompt, ofScores, `path: "a/../..", want a folder of the checkpoint`},
		{"a path from the root", strings.Replace(oneModule, `"path":""`, `"path":"/etc"`, 1), withPrompt, ofScores, `path: "/etc", want`},
		{"a folder that is not there", strings.Replace(oneModule, `"path":""`, `"path":"0_Transformer"`, 1), withPrompt, ofScores, `the folder "0_Transformer" of its first module has no config.json`},
		{"an unknown key of a module", strings.Replace(oneModule, `"path"`, `"weight":2,"path"`, 1), withPrompt, ofScores, `module 0: "weight": 2 is not supported`},
		{"settings that are none", oneModule, `[]`, ofScores, "config_sentence_transformers.json: [], want an object"},
		{"an unknown prompt", oneModule, settings("default_prompt_name", `"nobody"`), ofScores, `default_prompt_name: "nobody", want one of prompts: "ask", "none"`},
		{"a prompt's name that is a number", oneModule, settings("default_prompt_name", `5`), ofScores, "default_prompt_name: 5, want a string"},
		{"a prompt that is a number", oneModule, settings("prompts", `{"ask":5}`), ofScores, `prompts: {"ask":5}, want an object of texts`},
		{"prompts that are none", oneModule, settings("prompts", `null`), ofScores, "prompts: null, want an object of texts"},
		{"an unknown key of the settings", oneModule, settings("score_scale", `2`), ofScores, "config_sentence_transformers.json: score_scale: 2 is not supported"},
		{"no settings of the input", oneModule, withPrompt, "", "sentence_bert_config.json is missing: where there is a modules.json"},
		{"embeddings", oneModule, withPrompt, `{"max_seq_length":24}`, "transformer_task: missing"},
		{"another task", oneModule, withPrompt, member(ofScores, "transformer_task", `"fill-mask"`), `transformer_task: "fill-mask", want "sequence-classification"`},
		{"another output", oneModule, withPrompt, strings.Replace(ofScores, `"logits"`, `"hidden_states"`, 1), "modality_config: "},
		{"a conversation", oneModule, withPrompt, strings.Replace(ofScores, `{"text"`, `{"message":{"method":"forward"},"text"`, 1), "modality_config: "},
		{"an unknown key of the input", oneModule, withPrompt, member(ofScores, "reverse", `1`), "sentence_bert_config.json: reverse: 1 is not supported"},
		{"another tokenizer", oneModule, withPrompt, member(ofScores, "tokenizer_name_or_path", `"x"`), "tokenizer_name_or_path: "},
		{"arguments for the model", oneModule, withPrompt, member(ofScores, "config_args", `{"hidden_act":"relu"}`), "config_args: "},
		{"a short length", oneModule, withPrompt, text("max_length", "2"), "processing_kwargs: text: max_length: 2, want a whole number from 3"},
		{"a strategy", oneModule, withPrompt, text("truncation", `"some"`), `truncation: "some", want true`},
		{"no special tokens", oneModule, withPrompt, text("add_special_tokens", "false"), "add_special_tokens: false is not supported, want true"},
		{"no types", oneModule, withPrompt, text("return_token_type_ids", "false"), "return_token_type_ids: false is not supported"},
		{"no mask", oneModule, withPrompt, text("return_attention_mask", "false"), "return_attention_mask: false"},
		{"padding to the left", oneModule, withPrompt, text("padding_side", `"left"`), `padding_side: "left"`},
		{"windows", oneModule, withPrompt, text("stride", "4"), "stride: 4 is not supported"},
		{"split special tokens", oneModule, withPrompt, text("split_special_tokens", "true"), "split_special_tokens: true"},
		{"an unknown argument", oneModule, withPrompt, text("shuffle", "true"), "text: shuffle: true is not supported"},
	} {
		_, err := ReadSpec(modular(goodConfig, c.list, c.settings, c.input))
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.says) || len(err.Error()) > 300 {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.says)
		}
	}
	// Another kind of model is that before anything else.
	_, err := ReadSpec(modular(strings.Replace(goodConfig, `"bert"`, `"mpnet"`, 1), second("models.Nobody"), withPrompt, ""))
	if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), `config.json: model_type: "mpnet": this is an MPNet model, and only these are supported: "bert", `) {
		t.Errorf("another kind of model: %v", err)
	}
}

// The Transformer may be in a folder of its own, at any depth.
func TestTransformerInAFolder(t *testing.T) {
	for _, folder := range []string{"0_Transformer", "a/b/c"} {
		for _, name := range modules.InputSettings {
			fsys := modular("", strings.Replace(oneModule, `"path":""`, `"path":"./`+folder+`/"`, 1), withPrompt, "")
			fsys[folder+"/config.json"] = &fstest.MapFile{Data: []byte(goodConfig)}
			fsys[folder+"/"+name] = &fstest.MapFile{Data: []byte(member(ofScores, "max_seq_length", "40"))}
			s, err := ReadSpec(fsys)
			if err != nil {
				t.Fatal(err)
			}
			f, err := s.Files.Open("config.json")
			if err != nil || s.Input.MaxLength != 40 || s.Input.LengthSource != name+": max_seq_length" {
				t.Errorf("%s, %s: %+v, %v", folder, name, s.Input, err)
				continue
			}
			f.Close()
		}
	}
}

// Keys of config.json that nobody knows are named in a warning, not refused: everybody
// writes notes of his own there.
func TestUnknownKeysOfConfigAreWarnedOf(t *testing.T) {
	config := goodConfig
	for _, name := range []string{"pooling_scale", "zz_a", "zz_b", "zz_c"} {
		config = member(config, name, "2")
	}
	s, err := ReadSpec(fstest.MapFS{"config.json": {Data: []byte(config)}})
	want := `config.json: what "pooling_scale", "zz_a", "zz_b", ... means is not known here, and it is not used`
	if err != nil || !slices.Equal(s.Warnings, []string{want}) {
		t.Errorf("%q, %v", s.Warnings, err)
	}
	s, err = ReadSpec(fstest.MapFS{"config.json": {Data: []byte(member(goodConfig, "new_option", "null"))}})
	if err != nil || len(s.Warnings) > 0 {
		t.Errorf("an option that is off: %q, %v", s.Warnings, err)
	}
}

// A prompt's name that is not there is an error with those that are.
func TestPromptByName(t *testing.T) {
	in := Input{Prompts: map[string]string{"b": "B ", "a": "A "}}
	if p, err := in.Prompt("a"); p != "A " || err != nil {
		t.Errorf("%q, %v", p, err)
	}
	for in, says := range map[*Input]string{&in: `no prompt "c": the model has "a", "b"`, {}: `no prompt "c": the model has no prompts`} {
		if _, err := in.Prompt("c"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// Every key of the configurations that real models have is known.
func TestKeysOfRealFilesAreKnown(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set: real configurations are not read")
	}
	read := 0
	for _, folder := range []string{"configs", "model-files", "tiny-fixtures", "saved", "real-ce"} {
		root := filepath.Join(shared, "data", folder)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() != "config.json" {
				return err
			}
			s, err := ReadSpec(os.DirFS(filepath.Dir(path)))
			if err != nil {
				if !errors.Is(err, ErrConfig) {
					t.Errorf("%s: %v", path, err)
				}
				return nil // another kind of model, or a module's own
			}
			read++
			for _, w := range s.Warnings {
				if strings.Contains(w, "not known here") {
					t.Errorf("%s: %s", path, w)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 40 {
		t.Errorf("only %d read", read)
	}
}

// Whatever sentence-transformers' files hold is read, or is an error about them.
func FuzzReadSpec(f *testing.F) {
	f.Add(oneModule, withPrompt, ofScores)
	f.Add(`[{"type":"sentence_transformers.models.Transformer","path":"a/b"}]`, `{"model_type":"CrossEncoder","prompts":{"a":null}}`, `{"processing_kwargs":{"text":{"max_length":9},"common":{}}}`)
	f.Add(`[{`, `[]`, `{"max_seq_length":-1,"do_lower_case":"x"}`)
	f.Fuzz(func(t *testing.T, list, settings, input string) {
		if len(list)+len(settings)+len(input) > 600 { // go test makes what is new smaller, for long
			return
		}
		s, err := ReadSpec(modular(goodConfig, list, settings, input))
		switch {
		case err != nil && !errors.Is(err, ErrConfig):
			t.Errorf("error without ErrConfig: %v", err)
		case err == nil && (s.Files == nil || s.Input.MaxLength != 0 && s.Input.MaxLength < 3 || s.Input.DefaultPrompt != "" && s.Input.Prompts == nil):
			t.Errorf("accepted %+v", s.Input)
		}
	})
}
