package pull

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/model/hub"
)

// DefaultEndpoint is the hub that is used if Options names none.
const DefaultEndpoint = "https://huggingface.co"

// Options say what to download, and how. ID and Cache must be set.
type Options struct {
	ID       string    // "org/name"
	Revision string    // branch, tag or commit; "" is the pinned commit (hub.PinOf), else main
	Cache    hub.Cache // where to put the files
	Files    []string  // exactly these; nil is config, tokenizer files, sentence-transformers' modules.json, settings and modules' folders, and safetensors weights

	Endpoint string       // "" is DefaultEndpoint
	Token    string       // sent only to Endpoint's host; "" for none
	Client   *http.Client // nil: Pull makes its own; CheckRedirect is not used
	Offline  bool         // make no requests: if the cache lacks something, Pull fails

	// Stall is how long a connection may deliver nothing before it counts as broken; 0
	// means one minute. A connection that delivers fewer than MinRate bytes a second over
	// that time also counts as broken; 0 means 1024, and less than 0 means any rate.
	Stall   time.Duration
	MinRate int64
	// Sleep waits between attempts; nil uses the real clock. It returns early, with ctx's
	// error, when ctx ends.
	Sleep func(ctx context.Context, d time.Duration) error

	// These functions, if not nil, are called from Pull's goroutine. Progress gets the
	// bytes of a file on disk and in total. Retrying gets a failed attempt and the pause
	// before the next one. FromCache gets the reason why the hub could not be asked, so
	// that the snapshot is the one in the cache.
	Progress  func(file string, done, total int64)
	Retrying  func(file string, err error, pause time.Duration)
	FromCache func(err error)
}

const (
	defaultStall   = time.Minute
	defaultMinRate = 1 << 10 // bytes a second: 90 MB take a day
)

// newPuller checks the options and sets defaults.
func newPuller(o Options) (*puller, error) {
	id, revision, err := hub.ParseID(o.ID)
	if err != nil {
		return nil, err
	}
	if o.Revision != "" {
		if revision != "" && revision != o.Revision {
			return nil, fmt.Errorf("two revisions: %q and %q", o.ID, o.Revision)
		}
		if id, revision, err = hub.ParseID(id + "@" + o.Revision); err != nil {
			return nil, err
		}
	}
	p := &puller{
		id: id, revision: revision, files: o.Files, cache: o.Cache, token: o.Token, offline: o.Offline,
		stall: o.Stall, minRate: o.MinRate, sleep: o.Sleep,
		progress: o.Progress, retrying: o.Retrying, fromCache: o.FromCache,
	}
	if revision == "" {
		pin, ok := hub.PinOf(id)
		p.revision, p.pinned = "main", ok
		if ok {
			p.revision = pin.Revision
		}
	}
	if hub.IsCommit(p.revision) {
		p.commit = p.revision
	}
	for _, file := range o.Files {
		if !fs.ValidPath(file) || file == "." || strings.ContainsAny(file, "\\:\x00") {
			return nil, fmt.Errorf("file %q: want a relative slash path", file)
		}
	}
	if o.Cache.Dir == "" {
		return nil, errors.New("no cache folder is given")
	}
	p.store = newStore(o.Cache, id)
	if p.endpoint, err = parseEndpoint(o.Endpoint); err != nil {
		return nil, err
	}
	if strings.ContainsFunc(p.token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token (HF_TOKEN, or the file of a login) holds white space or characters outside of ASCII")
	}
	p.client = newClient(o.Client)
	if p.stall == 0 {
		p.stall = defaultStall
	}
	if p.minRate == 0 {
		p.minRate = defaultMinRate
	}
	if p.sleep == nil {
		p.sleep = sleep
	}
	if p.progress == nil {
		p.progress = func(string, int64, int64) {}
	}
	if p.retrying == nil {
		p.retrying = func(string, error, time.Duration) {}
	}
	if p.fromCache == nil {
		p.fromCache = func(error) {}
	}
	return p, nil
}
