package pull

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/model/hub"
)

// DefaultEndpoint is the hub that is asked when Options names none.
const DefaultEndpoint = "https://huggingface.co"

// Errors of Pull, for errors.Is. A failure of the disk or the network is the
// operating system's error.
var (
	ErrNotFound = errors.New("not found on the hub")
	ErrDenied   = errors.New("access denied by the hub")
	ErrMismatch = errors.New("not the expected content") // size or hash
	ErrProtocol = errors.New("unexpected answer")        // not a hub, or a broken one
)

// Options says what to download, and how. ID and Cache are needed.
type Options struct {
	ID       string    // "org/name"
	Revision string    // branch, tag or commit; "" is the pinned commit (hub.PinOf), else main
	Cache    hub.Cache // where to
	Files    []string  // exactly these; nil is config, tokenizer files and safetensors weights

	Endpoint string       // "" is DefaultEndpoint
	Token    string       // sent to Endpoint's host alone; "" for none
	Client   *http.Client // nil is one of Pull's own; its CheckRedirect is not used

	// Stall is how long a connection may bring nothing before it counts as
	// broken; 0 is one minute.
	Stall time.Duration
	// Sleep waits between attempts; nil waits on the clock. It returns early,
	// with the context's error, when the context ends.
	Sleep func(ctx context.Context, d time.Duration) error

	// Progress, if not nil, hears of every file: the bytes on disk and the
	// bytes in all. Retrying hears of a failed attempt and the pause before the
	// next. Both are called from Pull's goroutine.
	Progress func(file string, done, total int64)
	Retrying func(file string, err error, pause time.Duration)
}

// OptionsFromEnv returns the options that the environment holds: the cache (see
// hub.DefaultCache), the endpoint (HF_ENDPOINT) and the token (HF_TOKEN). It
// reads the environment through getenv alone.
func OptionsFromEnv(getenv func(string) string, home string) (Options, error) {
	cache, err := hub.DefaultCache(getenv, home)
	if err != nil {
		return Options{}, err
	}
	return Options{
		Cache:    cache,
		Endpoint: strings.TrimSpace(getenv("HF_ENDPOINT")),
		Token:    strings.TrimSpace(getenv("HF_TOKEN")),
	}, nil
}

// Pull downloads a checkpoint and returns its snapshot. Files that are there
// already, and are whole, are not downloaded again; with a commit for revision
// and all files there, no request is made. When Pull fails or ctx ends, what
// has arrived is kept for the next Pull to go on from.
//
// refs/<revision> is written when all is there. A pull of the pinned commit by
// default writes refs/main only where there is none: it is no claim about what
// main is today.
func Pull(ctx context.Context, o Options) (hub.Snapshot, error) {
	p, err := newPuller(o)
	if err != nil {
		return hub.Snapshot{}, fmt.Errorf("pull: %w", err)
	}
	if o.Client == nil {
		defer p.client.CloseIdleConnections()
	}
	if err := p.run(ctx); err != nil {
		return hub.Snapshot{}, fmt.Errorf("pull: %s: %w", p.id, err)
	}
	return p.snapshot(), nil
}

// puller is one Pull under way.
type puller struct {
	id       string
	revision string // as asked, or the default
	pinned   bool   // revision is the default of a pinned id
	commit   string // what revision stands for; "" until the hub has said so
	files    []string

	store    store
	endpoint *url.URL
	token    string
	client   http.Client
	stall    time.Duration
	sleep    func(context.Context, time.Duration) error
	progress func(file string, done, total int64)
	retrying func(file string, err error, pause time.Duration)
}

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
		id: id, revision: revision, files: o.Files, token: o.Token,
		stall: o.Stall, sleep: o.Sleep, progress: o.Progress, retrying: o.Retrying,
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
		return nil, errors.New("the token holds white space or characters outside of ASCII")
	}
	p.client = newClient(o.Client)
	if p.stall == 0 {
		p.stall = time.Minute
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
	return p, nil
}

func (p *puller) snapshot() hub.Snapshot {
	return hub.Snapshot{ID: p.id, Revision: p.commit, Dir: p.store.snapshot(p.commit)}
}

func (p *puller) run(ctx context.Context) error {
	pull := p.checkpoint
	if p.files != nil {
		pull = p.listed
	}
	if err := pull(ctx); err != nil {
		return err
	}
	switch {
	case p.pinned:
		return p.store.writeRef("main", p.commit, false)
	case p.revision != p.commit:
		return p.store.writeRef(p.revision, p.commit, true)
	}
	return nil
}

// listed pulls the files that the caller listed, all of them.
func (p *puller) listed(ctx context.Context) error {
	for _, file := range p.files {
		if _, err := p.ensure(ctx, file, false); err != nil {
			return err
		}
	}
	return nil
}

// checkpoint pulls what a model needs, the small files first, so that a
// repository that is no such model is known for one before the weights.
func (p *puller) checkpoint(ctx context.Context) error {
	if _, err := p.ensure(ctx, hub.ConfigFile, false); err != nil {
		return err
	}
	for _, file := range []string{hub.TokenizerFile, hub.TokenizerConfigFile, hub.SpecialTokensFile, hub.VocabFile} {
		if _, err := p.ensure(ctx, file, true); err != nil {
			return err
		}
	}
	if err := p.snapshot().Check(hub.Config | hub.Tokenizer); err != nil {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	whole, err := p.ensure(ctx, hub.WeightsFile, true)
	if err != nil {
		return err
	}
	if !whole {
		if err := p.shards(ctx); err != nil {
			return err
		}
	}
	return p.snapshot().Check(hub.Complete)
}

// shards pulls weights that are not in one file.
func (p *puller) shards(ctx context.Context) error {
	switch found, err := p.ensure(ctx, hub.IndexFile, true); {
	case err != nil:
		return err
	case !found:
		return fmt.Errorf("%w: neither %s nor %s at %s", ErrNotFound, hub.WeightsFile, hub.IndexFile, p.commit)
	}
	index, err := os.Open(p.store.file(p.commit, hub.IndexFile))
	if err != nil {
		return err
	}
	defer index.Close()
	names, err := hub.Shards(index)
	if err != nil {
		return err
	}
	for _, shard := range names {
		if _, err := p.ensure(ctx, shard, false); err != nil {
			return err
		}
	}
	return nil
}

// ensure makes file part of the snapshot, downloading it if need be. It reports
// false, with no error, for an optional file that the repository does not have.
func (p *puller) ensure(ctx context.Context, file string, optional bool) (bool, error) {
	if p.commit != "" {
		if size, ok := p.present(file); ok {
			p.progress(file, size, size)
			return true, nil
		}
		if optional && p.store.knownAbsent(p.commit, file) {
			return false, nil
		}
	}
	meta, err := p.head(ctx, file)
	if absent := (*absentError)(nil); optional && errors.As(err, &absent) {
		return false, p.store.markAbsent(absent.commit, file)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	p.commit = meta.commit
	if err := p.fetch(ctx, file, meta); err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	return true, nil
}

// present reports whether the snapshot has file, whole, and its size. A link's
// target is named by the content's hash, so it can be checked without the hub;
// a plain copy is checked where the hash is pinned, else taken as it is.
func (p *puller) present(file string) (size int64, ok bool) {
	name := p.store.file(p.commit, file)
	etag := p.store.linkedEtag(name)
	if want, ok := p.pin(file); ok {
		etag = want.etag
	}
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	if etag != "" {
		sum, err := hashFile(name, etag)
		if err != nil || sum != etag {
			return 0, false
		}
	}
	return info.Size(), true
}

// pin returns what file must be, if its commit is the pinned one.
func (p *puller) pin(file string) (metadata, bool) {
	pin, ok := hub.PinOf(p.id)
	if !ok || pin.Revision != p.commit || file != hub.WeightsFile {
		return metadata{}, false
	}
	return metadata{commit: pin.Revision, etag: pin.SHA256, size: pin.Size}, true
}

// maxSmall bounds every file but weights; the largest tokenizers have some tens
// of megabytes. maxWeights is a bound against nonsense.
const (
	maxSmall   = 256 << 20
	maxWeights = 1 << 40
)

// check refuses what the hub announces of a file before anything is fetched.
func (p *puller) check(file string, meta metadata) error {
	if p.commit != "" && meta.commit != p.commit {
		return fmt.Errorf("%w: the answer is of commit %s, want %s", ErrProtocol, meta.commit, p.commit)
	}
	if want, ok := p.pin(file); ok && meta != want {
		return fmt.Errorf("%w: the hub announces %d bytes with hash %s, pinned are %d bytes with hash %s",
			ErrMismatch, meta.size, meta.etag, want.size, want.etag)
	}
	limit := int64(maxSmall)
	if path.Ext(file) == ".safetensors" || p.files != nil {
		limit = maxWeights
	}
	if meta.size > limit {
		return fmt.Errorf("%w: %d bytes announced, at most %d are taken", ErrMismatch, meta.size, limit)
	}
	return nil
}
