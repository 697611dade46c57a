package synth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The names and the contents of the files are those that Hugging Face's
// transformers and tokenizers libraries write for BERT, uncased.

// configJSON is config.json.
func configJSON(c Checkpoint) []byte {
	s := c.Shape
	m := map[string]any{
		"_name_or_path":                fmt.Sprintf("minilm-metal/synthetic-seed-%d", c.Seed),
		"architectures":                []string{"BertForSequenceClassification"},
		"attention_probs_dropout_prob": 0.1,
		"gradient_checkpointing":       false,
		"hidden_act":                   "gelu",
		"hidden_dropout_prob":          0.1,
		"hidden_size":                  s.Hidden,
		"initializer_range":            0.02,
		"intermediate_size":            s.Intermediate,
		"layer_norm_eps":               1e-12,
		"max_position_embeddings":      s.Positions,
		"model_type":                   "bert",
		"num_attention_heads":          s.Heads,
		"num_hidden_layers":            s.Layers,
		"pad_token_id":                 padID,
		"position_embedding_type":      "absolute",
		"torch_dtype":                  map[DType]string{F32: "float32", F16: "float16", BF16: "bfloat16"}[c.DType],
		"type_vocab_size":              s.Types,
		"use_cache":                    true,
		"vocab_size":                   s.Vocab,
	}
	switch c.Kind {
	case Embedder:
		m["architectures"] = []string{"BertModel"}
		return indented(m)
	case Labels:
		m["problem_type"] = "single_label_classification"
	default:
		m["sbert_ce_default_activation_function"] = "torch.nn.modules.linear.Identity"
	}
	id2label, label2id := map[string]string{}, map[string]int{}
	for i, label := range c.names() {
		id2label[strconv.Itoa(i)], label2id[label] = label, i
	}
	m["id2label"], m["label2id"] = id2label, label2id
	return indented(m)
}

func vocabTxt(vocab []string) []byte { return []byte(strings.Join(vocab, "\n") + "\n") }

// specialTokens is what the special tokens are called, by their ids.
var specialTokens = []struct {
	id      int
	role    string
	content string
}{
	{padID, "pad_token", "[PAD]"},
	{unkID, "unk_token", "[UNK]"},
	{clsID, "cls_token", "[CLS]"},
	{sepID, "sep_token", "[SEP]"},
	{maskID, "mask_token", "[MASK]"},
}

func specialTokensMapJSON() []byte {
	m := map[string]any{}
	for _, t := range specialTokens {
		m[t.role] = t.content
	}
	return indented(m)
}

func tokenizerConfigJSON(s Shape) []byte {
	m := map[string]any{
		"clean_up_tokenization_spaces": true,
		"do_lower_case":                true,
		"model_max_length":             s.Positions,
		"strip_accents":                nil,
		"tokenize_chinese_chars":       true,
		"tokenizer_class":              "BertTokenizer",
	}
	if s.Types < 2 {
		// Otherwise the passage would have type 1, for which the model has no row.
		m["model_input_names"] = []string{"input_ids", "attention_mask"}
	}
	for _, t := range specialTokens {
		m[t.role] = t.content
	}
	return indented(m)
}

// tokenizerJSON is tokenizer.json for a vocabulary that begins with the
// special tokens.
func tokenizerJSON(vocab []string) []byte {
	type object = map[string]any
	special := func(token string, typeID int) object {
		return object{"SpecialToken": object{"id": token, "type_id": typeID}}
	}
	sequence := func(id string, typeID int) object {
		return object{"Sequence": object{"id": id, "type_id": typeID}}
	}
	used := func(token string, id int) object {
		return object{"id": token, "ids": []int{id}, "tokens": []string{token}}
	}
	var added []object
	for _, t := range specialTokens {
		added = append(added, object{"id": t.id, "content": t.content, "single_word": false,
			"lstrip": false, "rstrip": false, "normalized": false, "special": true})
	}
	// A struct instead of a map, because the order matters to readers.
	file := struct {
		Version       string    `json:"version"`
		Truncation    any       `json:"truncation"`
		Padding       any       `json:"padding"`
		AddedTokens   []object  `json:"added_tokens"`
		Normalizer    object    `json:"normalizer"`
		PreTokenizer  object    `json:"pre_tokenizer"`
		PostProcessor object    `json:"post_processor"`
		Decoder       object    `json:"decoder"`
		Model         wordPiece `json:"model"`
	}{
		Version:      "1.0",
		AddedTokens:  added,
		Normalizer:   object{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": nil, "lowercase": true},
		PreTokenizer: object{"type": "BertPreTokenizer"},
		PostProcessor: object{
			"type":   "TemplateProcessing",
			"single": []object{special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)},
			"pair": []object{special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0),
				sequence("B", 1), special("[SEP]", 1)},
			"special_tokens": object{"[CLS]": used("[CLS]", clsID), "[SEP]": used("[SEP]", sepID)},
		},
		Decoder: object{"type": "WordPiece", "prefix": "##", "cleanup": true},
		Model:   wordPiece{"WordPiece", "[UNK]", "##", 100, vocab},
	}
	return indented(file)
}

// wordPiece is the model of a tokenizer.json.
type wordPiece struct {
	Type     string  `json:"type"`
	Unknown  string  `json:"unk_token"`
	Prefix   string  `json:"continuing_subword_prefix"`
	MaxChars int     `json:"max_input_chars_per_word"`
	Vocab    entries `json:"vocab"`
}

// entries is a vocabulary; in JSON, an object from entry to id in the order of
// the ids.
type entries []string

// MarshalJSON implements json.Marshaler.
func (v entries) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for id, e := range v {
		if id > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s:%d", key, id)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// indented is v in JSON as the Python libraries indent it.
func indented(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic("synth: " + err.Error()) // v is one of the values above, all of which encode
	}
	return b.Bytes()
}
