package engine

import (
	"maps"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// promptSource says which prompt a call uses.
type promptSource int

const (
	ofEngine   promptSource = iota // the engine's default
	ofCall                         // callOptions.prompt
	byName                         // the prompt that callOptions.name names
	ofQuery                        // the model's for a query, none if it has none
	ofDocument                     // the model's for a document, none if it has none
)

// roles are the names of the prompts for queries and documents, of which the first counts that
// the model has.
var roles = map[promptSource][]string{ofQuery: {"query"}, ofDocument: {"document", "passage", "corpus"}}

// Prompt puts text before each query of a call, instead of the default prompt. "" means no
// prompt. No space is added between text and query: write one at the end of text if it
// needs one. Prompt and query are tokenized and cut as one text.
func Prompt(text string) CallOption {
	return func(o *callOptions) { o.prompt, o.set, o.given = text, ofCall, o.given|optPrompt }
}

// PromptName is Prompt with the text that the checkpoint, or the option [Prompts], has
// under name; Info lists them. If there is no such name, the call returns ErrPrompt and
// scores nothing.
func PromptName(name string) CallOption {
	return func(o *callOptions) { o.name, o.set, o.given = name, byName, o.given|optPrompt }
}

// AsQuery makes the texts of a call queries to be compared with documents: before each goes the
// prompt that the model, or the option [Prompts], calls "query", or no prompt if there is none. It
// is encode_query of sentence-transformers.
func AsQuery() CallOption {
	return func(o *callOptions) { o.set, o.given = ofQuery, o.given|optPrompt }
}

// AsDocument is AsQuery for documents, whose prompt is called "document", else "passage", else
// "corpus". It is encode_document of sentence-transformers, save that version 6 puts no prompt
// where a model has a "passage" and no "document".
func AsDocument() CallOption {
	return func(o *callOptions) { o.set, o.given = ofDocument, o.given|optPrompt }
}

// Prompts adds prompts, for PromptName and DefaultPrompt, to those of the checkpoint. One
// with the same name replaces the checkpoint's.
func Prompts(byName map[string]string) Option {
	byName = maps.Clone(byName)
	return func(o *options) {
		if o.prompts = maps.Clone(o.prompts); o.prompts == nil {
			o.prompts = make(map[string]string, len(byName))
		}
		maps.Copy(o.prompts, byName)
	}
}

// DefaultPrompt names the prompt of calls that have neither Prompt nor PromptName, instead
// of the one that the checkpoint names. "" means no prompt. If there is no such name, Open
// returns ErrPrompt.
func DefaultPrompt(name string) Option { return func(o *options) { o.defaultPrompt = &name } }

// prompting holds the prompts of an engine.
type prompting struct {
	input model.Input
	text  string // the default prompt's text
}

// newPrompting joins the checkpoint's prompts with those of the options.
func newPrompting(in model.Input, o *options) (p prompting, err error) {
	p.input = in
	if len(o.prompts) > 0 {
		p.input.Prompts = make(map[string]string, len(in.Prompts)+len(o.prompts))
		maps.Copy(p.input.Prompts, in.Prompts)
		maps.Copy(p.input.Prompts, o.prompts)
	}
	if o.defaultPrompt != nil {
		p.input.DefaultPrompt = *o.defaultPrompt
	}
	if name := p.input.DefaultPrompt; name != "" {
		p.text, err = p.named(name)
	}
	return p, err
}

// noPrompt is an ErrPrompt error with the text of its cause, which says enough.
type noPrompt struct{ cause error }

func (e noPrompt) Error() string   { return "engine: " + plain(e.cause.Error()) }
func (e noPrompt) Unwrap() []error { return []error{ErrPrompt, e.cause} }

// named returns the text of the prompt with that name.
func (p *prompting) named(name string) (string, error) {
	prompt, err := p.input.Prompt(name)
	if err != nil {
		err = noPrompt{err}
	}
	return prompt, err
}

// of returns the prompt's text for a call with these options.
func (p *prompting) of(o *callOptions) (string, error) {
	switch o.set {
	case ofCall:
		return o.prompt, nil
	case byName:
		return p.named(o.name)
	case ofQuery, ofDocument:
		for _, name := range roles[o.set] {
			if prompt, has := p.input.Prompts[name]; has {
				return prompt, nil
			}
		}
		return "", nil
	}
	return p.text, nil
}

// promptTokens counts the tokens of prompts. It remembers the last one, which most calls share.
type promptTokens struct {
	prompt string
	cut    tokenizer.Truncation
	tokens int
}

// of returns how many tokens [CLS] and a prompt are, as sentence-transformers counts them: of
// the prompt by itself, without the [SEP]. In front of a text its last word may be another. Where
// there is no prompt, [CLS] is none of its tokens.
func (p *promptTokens) of(r *reading) int {
	if r.prompt == "" {
		return 0
	}
	if cut := r.tokenizer.Truncation(); r.prompt != p.prompt || cut != p.cut {
		ids, _, err := r.tokenizer.AppendText(nil, nil, r.prompt)
		if err != nil { // it is too long, and so is every text after it
			return 0
		}
		p.prompt, p.cut, p.tokens = r.prompt, cut, len(ids)-1
	}
	return p.tokens
}

// promptsOf returns the prompts' tokens of n sequences of the pass, from lo on.
func (r *runner) promptsOf(lo, n int) []int {
	if len(r.prompts) == 0 {
		return nil
	}
	return r.prompts[lo : lo+n]
}
