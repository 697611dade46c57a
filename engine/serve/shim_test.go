package serve_test

import "github.com/minilm-metal/minilm-metal/engine/serve"

// Keys is a stand-in until the option is there.
func Keys(keys ...string) serve.Option { return nil }

func pinned(name string) serve.Option {
	for _, d := range serve.Dialects() {
		if d == name {
			return serve.Dialect(name)
		}
	}
	return nil
}
