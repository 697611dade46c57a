package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	sugarme "github.com/sugarme/tokenizer" // only used to parse tokenizer.json, not to encode

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// parseJSON reads the vocabulary and the options of a tokenizer.json whose parts
// are BERT's. Only sugarme's Config is needed for that; its tokenizer is not built.
func parseJSON(data []byte) ([]string, Options, error) {
	p := jsonParser{config: new(sugarme.Config)}
	vocab, rest, err := cutVocab(data)
	if err == nil {
		err = jsonscan.Check(rest, maxValues)
	}
	if err == nil {
		err = json.Unmarshal(rest, p.config)
	}
	p.vocab = vocab
	for _, part := range []func() error{p.model, p.addedTokens, p.normalizer, p.preTokenizer, p.postProcessor, p.truncation} {
		if err == nil {
			err = part()
		}
	}
	if err != nil {
		return nil, Options{}, fmt.Errorf("tokenizer: %s: %w", jsonFile, inWords(err))
	}
	return p.vocab, p.options, nil
}

// jsonParser has a method for each part of the file that matters. (Padding and decoder do
// not.)
type jsonParser struct {
	config  *sugarme.Config
	vocab   []string
	ids     map[string]int // of the added tokens
	options Options
}

// part decodes a part, whose type must be one of types, into v.
func part(name string, raw map[string]any, v any, types ...string) error {
	if raw == nil {
		return fmt.Errorf("%s: missing, want %s", name, types[0])
	}
	typ, found := raw["type"].(string)
	for _, t := range types {
		if typ == t && (found || t == "") {
			data, err := json.Marshal(raw)
			if err == nil {
				err = json.Unmarshal(data, v)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, inWords(err))
			}
			return nil
		}
	}
	return fmt.Errorf("%s: type %q is not supported, want %s", name, typ, types[0])
}

func (p *jsonParser) model() error {
	raw := maps.Clone(p.config.Model)
	var m struct {
		Unknown *string `json:"unk_token"`
		Prefix  *string `json:"continuing_subword_prefix"`
		Chars   *int    `json:"max_input_chars_per_word"`
	}
	types := []string{"WordPiece"}
	if raw["max_input_chars_per_word"] != nil {
		types = append(types, "") // files of 2020 have no type
	}
	switch err := part("model", raw, &m, types...); {
	case err != nil:
		return err
	case m.Unknown == nil || *m.Unknown == "":
		return errors.New("model.unk_token: missing")
	case m.Prefix == nil || *m.Prefix == "":
		return errors.New("model.continuing_subword_prefix: missing or empty")
	case m.Chars == nil || *m.Chars < 1 || *m.Chars > maxWordChars:
		return fmt.Errorf("model.max_input_chars_per_word: want a number from 1 to %d", maxWordChars)
	case len(p.vocab) == 0:
		return errors.New("model.vocab: want an object with at least one token")
	}
	p.options = Options{Unknown: *m.Unknown, Prefix: *m.Prefix, MaxWordChars: *m.Chars}
	return nil
}

func (p *jsonParser) addedTokens() error {
	added := make([]addedJSON, len(p.config.AddedTokens))
	for i, t := range p.config.AddedTokens {
		if t.Id < 0 || t.Id > math.MaxInt32 {
			return fmt.Errorf("added_tokens: token %q: id %d, want 0 to %d", t.Content, t.Id, math.MaxInt32)
		}
		added[i] = addedJSON{int(t.Id), tokenJSON{t.Content, t.SingleWord, t.Lstrip, t.Rstrip, t.Normalized, t.Special}}
	}
	var err error
	if p.ids, err = p.options.add(added, p.vocab); err != nil {
		return fmt.Errorf("added_tokens: %w", err)
	}
	return nil
}

func (p *jsonParser) preTokenizer() error {
	return part("pre_tokenizer", p.config.PreTokenizer, &struct{}{}, "BertPreTokenizer")
}

// postProcessor reads the names of [CLS] and [SEP] from either of the two processors that
// put them around a pair.
func (p *jsonParser) postProcessor() error {
	const name = "post_processor"
	if p.config.PostProcessor["type"] == "BertProcessing" {
		var b struct{ Sep, Cls [2]any }
		if err := part(name, p.config.PostProcessor, &b, "BertProcessing"); err != nil {
			return err
		}
		return errors.Join(
			p.special(name+".cls", &p.options.Class, b.Cls[0], b.Cls[1]),
			p.special(name+".sep", &p.options.Separator, b.Sep[0], b.Sep[1]))
	}
	type template []struct {
		SpecialToken, Sequence *struct {
			ID   string
			Type int `json:"type_id"`
		}
	}
	var t struct {
		Single, Pair template
		Specials     map[string]struct{ IDs []any } `json:"special_tokens"`
	}
	if err := part(name, p.config.PostProcessor, &t, "TemplateProcessing", "BertProcessing"); err != nil {
		return err
	}
	of := func(pieces template) (form string, names []string) {
		for _, piece := range pieces {
			switch {
			case piece.SpecialToken != nil:
				form += fmt.Sprintf("token:%d ", piece.SpecialToken.Type)
				names = append(names, piece.SpecialToken.ID)
			case piece.Sequence != nil:
				form += fmt.Sprintf("%s:%d ", piece.Sequence.ID, piece.Sequence.Type)
			}
		}
		return form, names
	}
	form, names := of(t.Pair)
	if form != "token:0 A:0 token:0 B:1 token:1 " || names[1] != names[2] {
		return fmt.Errorf("%s.pair: want the template [CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", name)
	}
	single, around := of(t.Single)
	p.options.otherSingle = single != "token:0 A:0 token:0 " || !slices.Equal(around, names[:2])
	for i, to := range []*string{&p.options.Class, &p.options.Separator} {
		field := fmt.Sprintf("%s.special_tokens.%s", name, names[i])
		ids := t.Specials[names[i]].IDs
		if len(ids) != 1 {
			return fmt.Errorf("%s: %d ids, want one", field, len(ids))
		}
		if err := p.special(field, to, names[i], ids[0]); err != nil {
			return err
		}
	}
	return nil
}

// special sets *to to the token that a field names, and checks the id beside it.
func (p *jsonParser) special(field string, to *string, token, id any) error {
	name, _ := token.(string)
	want, ok := p.ids[name]
	if !ok {
		want = slices.Index(p.vocab, name)
	}
	if want < 0 || id != float64(want) {
		return fmt.Errorf("%s: token %q with id %v is not in the vocabulary", field, name, id)
	}
	*to = name
	return nil
}

// truncation reads only the direction. Length, strategy and stride are those of the last
// call before the file was saved, and every call of transformers sets its own.
func (p *jsonParser) truncation() error {
	direction, found := p.config.Truncation["direction"]
	switch {
	case !found, direction == "Right":
	case direction == "Left":
		p.options.Side = TruncateLeft
	default:
		return fmt.Errorf("truncation.direction: %q, want Left or Right", direction)
	}
	return nil
}
