package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/engine/serve"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// serveKey is the variable with a key of serve. There is no flag for it, because every user of
// the machine sees command lines.
const serveKey = "MINILM_SERVE_KEY"

// serveFlags holds the flags of serve.
type serveFlags struct {
	models    []string
	engine    engineFlags
	maxLength int
	queue     int
	wait      time.Duration

	listen listenFlags
	life   lifeFlags
	log    logFlags
	debug  debugFlags
	health bool

	keyFile      string
	keys         []string // of the file and the variable
	keyedMetrics bool
	origins      []string

	dialect                  string
	strict, truncate         bool
	body, text               int64
	items, requests          int
	bodyTimeout, sendTimeout time.Duration
}

func (f *serveFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.models, "model", nil, "NAME=DIR, or a directory, a Hugging Face id in the local cache, or \"synthetic\", each of which is its own name; once for each model (default: "+hub.MiniLM().ID+" if cached, else synthetic)")
	f.engine.registerDevice(flags)
	maxLengthFlag(flags, &f.maxLength)
	f.listen.register(flags)
	f.life.register(flags)
	f.log.register(flags)
	f.debug.register(flags)
	flags.BoolVar(&f.health, "health", false, "ask the server at an address, by default that of the other flags, whether it is ready; exit code 0: it is")
	flags.StringVar(&f.keyFile, "api-key-file", "", "file with the keys that clients may show, one a line; the variable "+serveKey+" has one more (default: whoever reaches the port may ask)")
	flags.BoolVar(&f.keyedMetrics, "metrics-key", false, "/metrics needs a key, too")
	flags.StringArrayVar(&f.origins, "cors-origin", nil, "origin whose pages may ask, such as https://example.org, or *; once for each (default: none but the server's own)")
	flags.StringVar(&f.dialect, "dialect", "", "pin the dialect of paths that several share, such as /rerank: "+strings.Join(serve.Dialects(), ", ")+" (default: each body's fields tell)")
	flags.BoolVar(&f.strict, "strict", false, "refuse fields that their dialect does not know, instead of counting them")
	flags.BoolVar(&f.truncate, "auto-truncate", true, "cut texts that are too long where a request of text-embeddings-inference's or SGLang's does not say")
	flags.IntVar(&f.queue, "max-queue", 4096, "texts that may wait for a model, of which at most 32 of one request are counted; 0: any number")
	flags.DurationVar(&f.wait, "max-wait", 30*time.Second, "how long a request may wait for its turn; 0: for ever")
	flags.Int64Var(&f.body, "max-body", 8<<20, "bytes of a body")
	flags.Int64Var(&f.text, "max-text", 64<<20, "bytes of all texts of a request, a query counted with each of its passages; for /tokenize and /decode a 32nd of it, a token id counted as 4")
	flags.IntVar(&f.items, "max-items", 10_000, "texts in a request")
	flags.IntVar(&f.requests, "max-requests", 512, "requests that are answered or wait at a time; so many times --max-body is what they and replies that are not read yet may hold in memory")
	flags.DurationVar(&f.bodyTimeout, "read-timeout", 30*time.Second, "how long a client may take to send a body; 0: for ever")
	flags.DurationVar(&f.sendTimeout, "write-timeout", 30*time.Second, "how long a client may take to read a reply; 0: for ever")
}

// check refuses what no server can do, and reads the keys.
func (f *serveFlags) check(flags *pflag.FlagSet, getenv func(string) string) error {
	for _, check := range []func() error{f.engine.check, func() error { return checkMaxLength(f.maxLength, leastOfText) }, func() error { return f.listen.check(flags) },
		f.life.check, f.log.check, f.debug.check} {
		if err := check(); err != nil {
			return err
		}
	}
	if f.dialect != "" {
		if err := oneOf("dialect", f.dialect, serve.Dialects()); err != nil {
			return err
		}
	}
	switch {
	case f.queue < 0:
		return usageError("--max-queue %d: want a number of texts, or 0 for any", f.queue)
	case f.body < 1:
		return usageError("--max-body %d: want at least 1 byte", f.body)
	case f.text < 1:
		return usageError("--max-text %d: want at least 1 byte", f.text)
	case f.items < 1:
		return usageError("--max-items %d: want at least 1 text", f.items)
	case f.requests < 1:
		return usageError("--max-requests %d: want at least 1", f.requests)
	}
	for _, o := range f.origins {
		if _, host, has := strings.Cut(o, "://"); o != "*" && (!has || host == "" || strings.ContainsAny(host, "/?#")) {
			return usageError("--cors-origin %q: want an origin such as https://example.org, with nothing after the host and port, or *", o)
		}
	}
	if err := notNegative(map[string]time.Duration{"max-wait": f.wait, "read-timeout": f.bodyTimeout, "write-timeout": f.sendTimeout}); err != nil {
		return err
	}
	if err := f.readKeys(getenv); err != nil {
		return err
	}
	if f.keyedMetrics && len(f.keys) == 0 {
		return usageError("--metrics-key: needs a key, of --api-key-file or %s", serveKey)
	}
	return nil
}

// notNegative refuses times below 0.
func notNegative(times map[string]time.Duration) error {
	for name, d := range times {
		if d < 0 {
			return usageError("--%s %v: want a time of 0 or more", name, d)
		}
	}
	return nil
}

// readKeys reads the keys of the file, a line each, and that of the variable. No error has a key
// in it.
func (f *serveFlags) readKeys(getenv func(string) string) error {
	if key := strings.TrimSpace(getenv(serveKey)); key != "" {
		if !visible(key) {
			return fmt.Errorf("%s: the key has a character that is not visible ASCII, which no header has", serveKey)
		}
		f.keys = append(f.keys, key)
	}
	if f.keyFile == "" {
		return nil
	}
	text, err := os.ReadFile(f.keyFile)
	if err != nil {
		return fmt.Errorf("--api-key-file: %w", err)
	}
	number, found := 0, 0
	for line := range strings.Lines(strings.TrimPrefix(string(text), byteOrderMark)) {
		number++
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if !visible(line) {
			return fmt.Errorf("--api-key-file: %s: line %d has a character that is not visible ASCII, which no header has", f.keyFile, number)
		}
		f.keys = append(f.keys, line)
		found++
	}
	if found == 0 {
		return fmt.Errorf("--api-key-file: %s has no key", f.keyFile)
	}
	return nil
}

// byteOrderMark is what editors of Windows write before UTF-8.
const byteOrderMark = "\ufeff"

func visible(key string) bool {
	return !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
}
