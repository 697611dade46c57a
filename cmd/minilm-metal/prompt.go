package main

import (
	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// promptFlags holds the flags about what is put before each query.
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
	flags.StringVar(&f.called, promptNameFlag, "", "put this one of the model's prompts before each query; \"info\" lists them")
}

func (f *promptFlags) check() error {
	if f.flags.Changed(promptFlag) && f.flags.Changed(promptNameFlag) {
		return usageError("--%s and --%s: want one of them", promptFlag, promptNameFlag)
	}
	return nil
}

// options returns the options for each call of an engine.
func (f *promptFlags) options() (opts []engine.CallOption) {
	if f.flags.Changed(promptFlag) {
		opts = append(opts, engine.Prompt(f.given))
	}
	if f.flags.Changed(promptNameFlag) {
		opts = append(opts, engine.PromptName(f.called))
	}
	return opts
}

// text returns the prompt for commands without an engine; in has the model's prompts.
func (f *promptFlags) text(in *model.Input) (string, error) {
	switch {
	case f.flags.Changed(promptFlag):
		return f.given, nil
	case f.flags.Changed(promptNameFlag):
		return in.Prompt(f.called)
	}
	return in.Prompts[in.DefaultPrompt], nil // "" if there is none
}
