package pull

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

// A damaged blob, and a link whose blob is gone, are mended by another pull.
func TestPullMends(t *testing.T) {
	needLinks(t)
	b := newRig(t)
	b.Revision = testCommit
	b.mustPull(t)
	blob := strings.TrimSuffix(b.part(t), ".incomplete")
	damaged := weights()
	damaged[weightLen/2] ^= 1
	for _, damage := range []func() error{
		func() error { return os.WriteFile(blob, damaged, 0o666) },
		func() error { return os.Truncate(blob, 10) },
		func() error { return os.Remove(blob) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		b.Requests()
		b.mustPull(t)
		if got := b.ranges(); !slices.Equal(got, []string{""}) {
			t.Errorf("mended by requests for %q, want the one file", got)
		}
	}
}

// A blob that another commit has brought is not downloaded again.
func TestPullReusesBlobs(t *testing.T) {
	needLinks(t)
	r := newRig(t)
	got := r.mustPull(t)
	if err := os.RemoveAll(got.Dir); err != nil {
		t.Fatal(err)
	}
	r.Requests()
	r.mustPull(t)
	for _, q := range r.Requests() {
		if q.Method == "GET" {
			t.Errorf("%s was fetched again", q.File)
		}
	}
}

func TestConcurrentPulls(t *testing.T) {
	b := newRig(t)
	b.Progress = nil
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := Pull(context.Background(), b.Options); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := b.ranges(); !slices.Equal(got, []string{""}) {
		t.Errorf("storage was asked for the ranges %q, want one request for all", got)
	}
	b.Revision = testCommit
	b.mustPull(t)
	if got := b.Requests(); len(got) > 0 {
		t.Errorf("after it %d requests are made, want none", len(got))
	}
}

// Where no links can be made a snapshot holds the files themselves: moved when
// new, copied when another commit has them as well.
func TestPullWithoutLinks(t *testing.T) {
	second := strings.Repeat("e", 40)
	b := newRig(t)
	b.Files = []string{hub.ConfigFile, hub.WeightsFile}
	pull := func(commit string) hub.Snapshot {
		t.Helper()
		p, err := newPuller(b.Options)
		if err != nil {
			t.Fatal(err)
		}
		p.store.symlink = func(*os.Root, string, string) error { return errors.New("no links") }
		if commit != testCommit { // a second commit with the same content, its blob still there
			for _, file := range b.Files {
				meta := metadata{commit: commit}
				if meta.etag, meta.size = etagOf(t, file); file == hub.WeightsFile {
					if err := os.WriteFile(p.store.blob(meta.etag), weights(), 0o666); err != nil {
						t.Fatal(err)
					}
				}
				if err := p.fetch(context.Background(), file, meta); err != nil {
					t.Fatal(err)
				}
			}
			return hub.Snapshot{Dir: p.store.snapshot(commit)}
		}
		if err := p.run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return p.snapshot()
	}
	for _, commit := range []string{testCommit, second} {
		got := pull(commit)
		if blobs, _ := filepath.Glob(filepath.Join(b.Cache.Repo(testID), "blobs", "*")); commit == testCommit && len(blobs) > 0 {
			t.Errorf("beside the snapshot's own files there are %q", blobs)
		}
		for _, file := range b.Files {
			info, err := os.Lstat(filepath.Join(got.Dir, file))
			if err != nil || !info.Mode().IsRegular() {
				t.Errorf("%s at %s: %v, %v; want a plain file", file, commit[:7], info, err)
			}
		}
		if data, err := os.ReadFile(filepath.Join(got.Dir, hub.WeightsFile)); err != nil || !bytes.Equal(data, weights()) {
			t.Errorf("weights at %s: %d bytes, %v", commit[:7], len(data), err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(b.Cache.Repo(testID), "blobs", "*.*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	b.Requests()
	pull(testCommit)
	if got := b.ranges(); len(got) > 0 {
		t.Error("a second pull fetches the weights again")
	}
}

// Of two pulls at once the second waits; when the first ends without its file,
// the second goes on from where it was.
func TestSecondPullTakesOver(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newMemoryRig(t)
		r.Progress = nil
		r.Fault(storageOnce(pulltest.Hang(1_000_000)))
		first, cancel := context.WithTimeout(t.Context(), defaultStall/2)
		defer cancel()
		done := make(chan error)
		go func() {
			_, err := Pull(first, r.Options)
			done <- err
		}()
		time.Sleep(time.Second) // in which it comes to hang
		began := time.Now()
		r.mustPull(t)
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the first: %v", err)
		}
		if got, want := r.ranges(), []string{"", "bytes=1000000-"}; !slices.Equal(got, want) {
			t.Errorf("asked for the ranges %q, want %q", got, want)
		}
		if took := time.Since(began); took > defaultStall/2 {
			t.Errorf("the second took %v", took)
		}
	})
}

// On file systems whose locks hold nobody back, two pulls at once write the same
// bytes to the same file. Both end well, and what the quicker one has finished
// stays as it is when the other begins anew.
func TestLocksThatDoNotHold(t *testing.T) {
	for name, act := range map[string]pulltest.Act{
		"side by side": pulltest.Drip(60, time.Second),
		"the later one refused its range": func(w http.ResponseWriter, q *http.Request, next http.Handler) {
			if q.Header.Get("Range") != "" {
				time.Sleep(time.Minute) // until the first is done
				pulltest.Status(416)(w, q, next)
				return
			}
			pulltest.Drip(60, time.Second)(w, q, next)
		},
	} {
		bubble(t, name, func(t *testing.T) {
			r := newMemoryRig(t)
			r.Progress = nil
			r.Fault(pulltest.Fault{Storage: true, Do: act})
			done := make(chan error)
			for pulls := range 2 {
				p, err := newPuller(r.Options)
				if err != nil {
					t.Fatal(err)
				}
				p.store.tryLock = func(context.Context, string) (func(), error) { return func() {}, nil }
				go func() {
					time.Sleep(time.Duration(pulls) * 20 * time.Second)
					done <- p.run(t.Context())
				}()
			}
			for range 2 {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			r.Offline = true // so that nothing is mended
			r.mustPull(t)
		})
	}
}

// While another process writes a blob, a pull waits for it.
func TestWaitsForTheLock(t *testing.T) {
	synctest.Test(t, waitsForTheLock)
}

func waitsForTheLock(t *testing.T) {
	r := newMemoryRig(t)
	p, err := newPuller(r.Options)
	if err != nil {
		t.Fatal(err)
	}
	etag, _ := etagOf(t, hub.ConfigFile)
	unlock, err := p.store.lock(context.Background(), etag)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*lockPoll)
	defer cancel()
	if _, err := Pull(ctx, r.Options); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with the lock held: %v", err)
	}
	for _, q := range r.Requests() {
		if q.Method == "GET" {
			t.Errorf("a GET of %s past the lock", q.File)
		}
	}
	unlock()
	r.mustPull(t)
}

// The disk's errors are told with the file they are of.
func TestDiskErrors(t *testing.T) {
	for _, place := range []string{".locks", "blobs", "snapshots", "refs"} {
		r := newRig(t)
		name := filepath.Join(r.Cache.Repo(testID), place)
		if place == ".locks" {
			name = filepath.Join(r.Cache.Dir, place)
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o666); err != nil { // a file where a folder must be
			t.Fatal(err)
		}
		if _, err := r.pull(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s cannot be written: %v", place, err)
		}
		if len(r.pauses) > 0 {
			t.Errorf("%s: it was tried again", place)
		}
	}
}
