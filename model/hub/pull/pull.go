package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"time"

	"github.com/minilm-metal/minilm-metal/model/hub"
)

// Errors of Pull, for errors.Is. A failure of the disk or the network is the
// operating system's error.
var (
	ErrNotFound = errors.New("not found on the hub")
	ErrDenied   = errors.New("access denied by the hub")
	ErrMismatch = errors.New("not the expected content") // size or hash
	ErrProtocol = errors.New("unexpected answer")        // not a hub, or a faulty one
	ErrOffline  = errors.New("offline")                  // no requests were allowed, and the cache lacks something
)

// Pull downloads a checkpoint and returns its snapshot. Files that are already there and
// complete are not downloaded again; if the revision is a commit and all files are there,
// no request is made. If Pull fails or ctx ends, the bytes that have arrived are kept, and
// the next Pull continues from there.
//
// If the hub cannot be reached or does not work, but the cache has all files of the
// revision as it last knew it, Pull returns that snapshot and calls Options.FromCache.
//
// refs/<revision> is written when everything is there. If the pinned commit is pulled by
// default, refs/main is written only if it does not exist: the pin says nothing about what
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

// puller is a Pull that is under way.
type puller struct {
	id       string
	revision string // as asked for, or the default
	pinned   bool   // revision is the default of a pinned id
	commit   string // the commit that revision means; "" until the hub has named it
	files    []string
	spare    bool // the cache can answer: do not wait long for a hub that is down

	cache     hub.Cache
	store     store
	endpoint  *url.URL
	token     string
	offline   bool
	client    http.Client
	stall     time.Duration
	minRate   int64
	sleep     func(context.Context, time.Duration) error
	progress  func(file string, done, total int64)
	retrying  func(file string, err error, pause time.Duration)
	fromCache func(err error)
}

func (p *puller) snapshot() hub.Snapshot {
	return hub.Snapshot{ID: p.id, Revision: p.commit, Dir: p.store.snapshot(p.commit)}
}

func (p *puller) run(ctx context.Context) error {
	if p.offline {
		if err := p.answerFromCache(ctx); err != nil {
			return fmt.Errorf("%w: no request is made, and %w", ErrOffline, err)
		}
		return nil
	}
	p.spare = p.cacheAnswers()
	err := p.online(ctx)
	if down := (*downError)(nil); !errors.As(err, &down) {
		return err
	}
	if lack := p.answerFromCache(ctx); lack != nil {
		return fmt.Errorf("%w; nor does the cache answer: %w", err, lack)
	}
	p.fromCache(err)
	return nil
}

// online downloads from the hub, and records the commit that the revision means.
func (p *puller) online(ctx context.Context) error {
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

// checkpoint pulls the files that a model needs, small ones first. So a repository that is
// not such a model is recognized before its weights are downloaded.
func (p *puller) checkpoint(ctx context.Context) error {
	_, noConfig := p.ensure(ctx, hub.ConfigFile, false)
	if absent := (*absentError)(nil); noConfig != nil && !errors.As(noConfig, &absent) {
		return noConfig
	}
	if err := p.modules(ctx); err != nil {
		return err
	}
	// modules.json may name a folder with the model, whatever is at the top.
	root := p.root()
	switch {
	case root != ".":
		if _, err := p.ensure(ctx, path.Join(root, hub.ConfigFile), false); err != nil {
			return err
		}
	case noConfig != nil:
		return noConfig
	}
	for _, file := range tokenizerFiles {
		if _, err := p.ensure(ctx, path.Join(root, file), true); err != nil {
			return err
		}
	}
	if err := p.snapshot().Check(hub.Config | hub.Tokenizer); err != nil {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	if err := p.weights(ctx, root); err != nil {
		return err
	}
	return p.snapshot().Check(hub.Complete)
}

// weightsFiles are the files of weights that are read, the preferred first; an index names more.
var weightsFiles = []string{hub.WeightsFile, hub.IndexFile, hub.PickleFile, hub.PickleIndexFile}

// weights pulls the weights in a folder. PyTorch's files are pulled only where the folder has
// no others, since those that it has beside safetensors are the same weights once more.
func (p *puller) weights(ctx context.Context, root string) error {
	for _, file := range weightsFiles {
		file = path.Join(root, file)
		switch found, err := p.ensure(ctx, file, true); {
		case err != nil:
			return err
		case found && path.Ext(file) == ".json":
			return p.shards(ctx, root, file)
		case found:
			return nil
		}
	}
	return fmt.Errorf("%w: neither %s nor %s at %s, nor PyTorch's files; weights in other formats are not pulled", ErrNotFound, hub.WeightsFile, hub.IndexFile, p.commit)
}

// shards pulls weights in several files, by their index.
func (p *puller) shards(ctx context.Context, root, index string) error {
	names, err := p.shardNames(index)
	if err != nil {
		return err
	}
	for _, shard := range names {
		if _, err := p.ensure(ctx, path.Join(root, shard), false); err != nil {
			return err
		}
	}
	return nil
}

// shardNames reads an index of the snapshot.
func (p *puller) shardNames(index string) ([]string, error) {
	file, err := os.Open(p.store.file(p.commit, index))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return hub.Shards(index, file)
}

// ensure makes file a part of the snapshot, and downloads it if necessary. It returns false
// without an error for an optional file that the repository does not have.
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
		p.store.markAbsent(absent.commit, file)
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	p.commit = meta.commit
	if known, err := p.knownCommit(); err != nil || known != p.commit {
		p.spare = false // the cache's answer is now out of date
	}
	if err := p.fetch(ctx, file, meta); err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	return true, nil
}

// present reports whether the snapshot has the complete file, and its size. A link's target
// is named by the content's hash, so it can be checked without the hub. A plain copy is
// checked if its hash is pinned; otherwise it is trusted.
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

// pin returns what file must be if the commit is the pinned one.
func (p *puller) pin(file string) (metadata, bool) {
	pin, ok := hub.PinOf(p.id)
	if !ok || pin.Revision != p.commit || file != hub.WeightsFile {
		return metadata{}, false
	}
	return metadata{commit: pin.Revision, etag: pin.SHA256, size: pin.Size}, true
}

// maxSmall is the largest size of files other than weights; the largest tokenizers have
// some tens of megabytes. maxWeights only excludes nonsense.
const (
	maxSmall   = 256 << 20
	maxWeights = 1 << 40
)

// check refuses a file whose size or hash, as announced by the hub, is wrong, before it is
// downloaded.
func (p *puller) check(file string, meta metadata) error {
	if p.commit != "" && meta.commit != p.commit {
		return fmt.Errorf("%w: the answer is of commit %s, want %s", ErrProtocol, meta.commit, p.commit)
	}
	if want, ok := p.pin(file); ok && meta != want {
		return fmt.Errorf("%w: the hub announces %d bytes with hash %s, pinned are %d bytes with hash %s",
			ErrMismatch, meta.size, meta.etag, want.size, want.etag)
	}
	limit := int64(maxSmall)
	if ext := path.Ext(file); ext == ".safetensors" || ext == ".bin" || p.files != nil {
		limit = maxWeights
	}
	if meta.size > limit {
		return fmt.Errorf("%w: %d bytes announced, at most %d are taken", ErrMismatch, meta.size, limit)
	}
	return nil
}
