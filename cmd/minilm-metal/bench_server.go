package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/bench"
	"github.com/minilm-metal/minilm-metal/bench/remote"
)

// urlKey is the variable with a server's key. There is no flag for it, because a recording
// has the command line.
const urlKey = "MINILM_URL_KEY"

// server holds the flags of a server to be measured.
type server struct {
	url, dialect, model string
	timeout             time.Duration
}

func (s *server) register(f *pflag.FlagSet) {
	f.StringVar(&s.url, "url", "", "measure the server at this http://host:port in the engine's place; --model is the model that it serves")
	f.StringVar(&s.dialect, "dialect", "", "how the server of --url is spoken to: "+strings.Join(remote.Dialects(), ", ")+" (default: it is probed)")
	f.StringVar(&s.model, "url-model", "", "name of the model in requests of the dialects cohere and openai (default: the first that the server lists)")
	f.DurationVar(&s.timeout, "url-timeout", remote.DefaultTimeout, "time for a request to the server; a miss after that")
}

// apply makes the options measure the server, if there is one. It refuses flags that do not
// apply to what is measured.
func (s *server) apply(f *pflag.FlagSet, o *bench.Options) error {
	if !f.Changed("url") {
		for _, name := range []string{"dialect", "url-model", "url-timeout"} {
			if f.Changed(name) {
				return usageError("--%s: needs --url", name)
			}
		}
		return nil
	}
	for _, name := range []string{"device", "isa", "precision", "workers", "length", "stages", "profile", "mix", "overload", "max-queue", "accuracy"} {
		if f.Changed(name) {
			return usageError("--%s: cannot be used with --url, which measures a server", name)
		}
	}
	switch {
	case !f.Changed("model"):
		return usageError("--url: want --model too, the model that the server serves: tokens are counted and scores compared with it")
	case s.timeout <= 0:
		return usageError("--url-timeout %v: want a time above 0", s.timeout)
	}
	if s.dialect != "" {
		if err := oneOf("dialect", s.dialect, remote.Dialects()); err != nil {
			return err
		}
	}
	connections := bench.MaxConcurrency // an open loop has callers that never run out
	if o.Rate == 0 && o.Load == nil {
		connections = slices.Max(o.Concurrencies)
	}
	client, err := remote.New(remote.Options{URL: s.url, Dialect: s.dialect, Model: s.model, Key: os.Getenv(urlKey),
		Timeout: s.timeout, Connections: connections})
	if errors.Is(err, remote.ErrURL) {
		return usageError("--url: %w", err)
	}
	o.Server = client
	return err
}
