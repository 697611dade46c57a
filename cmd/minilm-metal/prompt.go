package main

import (
	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// promptFlags are the flags about what is put before each query.
type promptFlags struct {
	flags         *pflag.FlagSet
	given, called string
}

const (
	promptFlag     = "prompt"
	promptNameFlag = "prompt-name"
)

func (f *promptFlags) register(flags *pflag.FlagSet) {
	f.flags = flags
	flags.StringVar(&f.given, promptFlag, "", "text to put before each query, as it is; '' is none (default: the model's default prompt, if it has one)")
	flags.StringVar(&f.called, promptNameFlag, "", "put the model's prompt of this name before each query; \"info\" lists them")
}

func (f *promptFlags) check() error {
	if f.flags.Changed(promptFlag) && f.flags.Changed(promptNameFlag) {
		return usageError("--%s and --%s: want either", promptFlag, promptNameFlag)
	}
	return nil
}

// options are what was asked for of each call of an engine.
func (f *promptFlags) options() (opts []engine.CallOption) {
	if f.flags.Changed(promptFlag) {
		opts = append(opts, engine.Prompt(f.given))
	}
	if f.flags.Changed(promptNameFlag) {
		opts = append(opts, engine.PromptName(f.called))
	}
	return opts
}

// text is the prompt, for what is done without an engine, of a model with in.
func (f *promptFlags) text(in *model.Input) (string, error) {
	switch {
	case f.flags.Changed(promptFlag):
		return f.given, nil
	case f.flags.Changed(promptNameFlag):
		return in.Prompt(f.called)
	}
	return in.Prompts[in.DefaultPrompt], nil // "" where there is none
}
