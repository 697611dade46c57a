package engine

import (
	"errors"
	"maps"

	"github.com/minilm-metal/minilm-metal/model"
)

// ErrPrompt is in every error about a prompt's name that there is no prompt of. The text
// lists those that there are.
var ErrPrompt = errors.New("engine: no such prompt")

// CallOption sets one thing about one call. nil sets nothing, and of two that set the same
// the last counts.
type CallOption func(*callOptions)

type callOptions struct {
	prompt string
	name   string
	set    promptSource
}

// promptSource says what of callOptions counts.
type promptSource int

const (
	ofEngine promptSource = iota // nothing: the engine's default
	ofCall                       // prompt
	byName                       // name
)

// Prompt puts text before each query of a call, in place of the default prompt; "" is no
// prompt. It is put there as it is: a space at its end is the caller's to write. The two
// are one text then, which becomes tokens and is cut as a query is.
func Prompt(text string) CallOption {
	return func(o *callOptions) { o.prompt, o.set = text, ofCall }
}

// PromptName is Prompt with the text that the checkpoint, or [Prompts], has under a name;
// Info lists them. A name without a prompt is ErrPrompt, and nothing is scored.
func PromptName(name string) CallOption {
	return func(o *callOptions) { o.name, o.set = name, byName }
}

// Prompts adds prompts to those of the checkpoint, and replaces those of the same names:
// for PromptName and DefaultPrompt.
func Prompts(byName map[string]string) Option {
	byName = maps.Clone(byName)
	return func(o *options) {
		if o.prompts = maps.Clone(o.prompts); o.prompts == nil {
			o.prompts = make(map[string]string, len(byName))
		}
		maps.Copy(o.prompts, byName)
	}
}

// DefaultPrompt is the name of the prompt of calls that ask for none, in place of the one
// that the checkpoint names. "" is no prompt. A name without one is ErrPrompt.
func DefaultPrompt(name string) Option { return func(o *options) { o.defaultPrompt = &name } }

// prompting is what an engine puts before queries.
type prompting struct {
	input model.Input
	text  string // of calls that ask for none
}

// newPrompting joins what a checkpoint has of prompts with what was asked for.
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

func (p *prompting) named(name string) (string, error) {
	prompt, err := p.input.Prompt(name)
	if err != nil {
		err = because(ErrPrompt, err)
	}
	return prompt, err
}

// of returns the prompt of a call.
func (p *prompting) of(opts []CallOption) (string, error) {
	if len(opts) == 0 { // which allocates nothing
		return p.text, nil
	}
	return p.asked(opts)
}

func (p *prompting) asked(opts []CallOption) (string, error) {
	var o callOptions
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	switch o.set {
	case ofCall:
		return o.prompt, nil
	case byName:
		return p.named(o.name)
	}
	return p.text, nil
}
