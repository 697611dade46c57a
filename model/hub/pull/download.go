package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"strings"
)

// chunk is how many bytes are read between two reports of progress.
const chunk = 256 << 10

// fetch downloads a file's blob into the cache and adds it to the snapshot.
func (p *puller) fetch(ctx context.Context, file string, meta metadata) error {
	shown := func() bool {
		there := whole(p.store.file(meta.commit, file), meta)
		if there {
			p.progress(file, meta.size, meta.size)
		}
		return there
	}
	if shown() { // without a lock: a complete cache may be read-only
		return nil
	}
	unlock, err := p.store.lock(ctx, meta.etag)
	if err != nil {
		return err
	}
	defer unlock()

	blob := p.store.blob(meta.etag)
	if shown() { // another process added it while we waited
		return nil
	}
	if whole(blob, meta) { // of another commit, or fetched while we waited
		p.progress(file, meta.size, meta.size)
		return p.store.link(meta.etag, meta.commit, file, false)
	}
	blobs, err := p.store.folder("blobs")
	if err != nil {
		return err
	}
	defer blobs.Close()
	d := &download{puller: p, file: file, meta: meta, blobs: blobs, part: meta.etag + ".incomplete"}
	err = d.run(ctx)
	if err == nil {
		err = blobs.rename(d.part, meta.etag)
	}
	// If locks do not work, another process may have been quicker.
	if err != nil && !(errors.Is(err, fs.ErrNotExist) && whole(blob, meta)) {
		return err
	}
	return p.store.link(meta.etag, meta.commit, file, true)
}

// whole reports whether the file called name has the announced size and hash.
func whole(name string, meta metadata) bool {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() != meta.size {
		return false
	}
	sum, err := hashFile(name, meta.etag)
	return err == nil && sum == meta.etag
}

// download fills the file called part with the announced content.
type download struct {
	*puller
	file  string
	meta  metadata
	blobs folder
	part  string // its name in that folder

	pieced  bool  // part consists of more than one answer
	afresh  bool  // resuming failed: the next answer must start from the beginning
	highest int64 // the most bytes that part has had
}

// run downloads until part is complete. If content of the right size has the wrong hash and
// consisted of several answers, an old piece may be the reason, and run tries once more. If
// it was one answer, or after the second try, the error lists all hashes. part is deleted
// each time.
func (d *download) run(ctx context.Context) error {
	if err := d.begin(); err != nil {
		return err
	}
	var arrived []string // hashes of wrong contents
	for {
		if err := d.retry(ctx, d.file, attempts, d.get); err != nil {
			return err
		}
		sum, err := hashFile(d.blobs.path(d.part), d.meta.etag)
		if err != nil {
			return err
		}
		if sum == d.meta.etag {
			return nil
		}
		if err := d.blobs.remove(d.part); err != nil {
			return err
		}
		arrived = append(arrived, sum)
		err = fmt.Errorf("%w: %d bytes with hash %s arrived, want hash %s",
			ErrMismatch, d.meta.size, strings.Join(arrived, ", then "), d.meta.etag)
		if !d.pieced || len(arrived) == tries {
			return err
		}
		d.retrying(d.file, err, 0)
		d.pieced, d.highest = false, 0
	}
}

// tries is how often a complete file may have a wrong hash before it is given up.
const tries = 2

// begin looks at what an earlier pull has left in part.
func (d *download) begin() error {
	part, err := d.blobs.open(d.part)
	if err != nil {
		return err
	}
	defer part.Close()
	info, err := part.Stat()
	if err != nil {
		return err
	}
	d.pieced, d.highest = info.Size() > 0, info.Size()
	return nil
}

// get makes one GET request for what is missing in part and appends the answer. gained is
// by how many bytes part has become longer than ever before.
func (d *download) get(ctx context.Context, alive func(bytes int)) (gained int64, err error) {
	part, err := d.blobs.open(d.part)
	if err != nil {
		return 0, err
	}
	defer func() {
		if part != nil {
			err = errors.Join(err, part.Close())
		}
	}()
	have, err := part.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	if d.afresh || have > d.meta.size {
		if part, err = d.restart(part); err != nil {
			return 0, err
		}
		have = 0
	}
	d.progress(d.file, have, d.meta.size)
	if have == d.meta.size {
		return 0, nil
	}

	var ranged string
	if have > 0 {
		ranged = fmt.Sprintf("bytes=%d-", have)
	}
	resp, _, err := d.request(ctx, http.MethodGet, d.file, ranged)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if err := d.checkAnswer(resp, have); err != nil {
		return 0, err
	}
	if resp.StatusCode == http.StatusOK && have > 0 { // the server ignored the range
		if part, err = d.restart(part); err != nil {
			return 0, err
		}
		have = 0
	}
	d.pieced = d.pieced || have > 0
	end, err := d.receive(ctx, part, resp.Body, have, alive)
	gained = max(0, end-d.highest)
	d.highest = max(d.highest, end)
	if err != nil {
		return gained, err
	}
	return gained, part.Sync()
}

// restart starts part from the beginning. It makes a new file of that name and leaves the
// old one: if locks do not work, another process that writes to the old one may already
// have made a blob of it.
func (d *download) restart(part *os.File) (*os.File, error) {
	d.pieced, d.afresh = false, false
	if err := errors.Join(part.Close(), d.blobs.remove(d.part)); err != nil {
		return nil, err
	}
	return d.blobs.open(d.part)
}

// checkAnswer returns an error if an answer's headers say that its body is not the file's
// bytes from have on (with status 200, from the beginning).
func (d *download) checkAnswer(resp *http.Response, have int64) error {
	from := show(resp.Request.URL)
	left := d.meta.size
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusPartialContent:
		left -= have
		got := resp.Header.Get("Content-Range")
		if want := fmt.Sprintf("bytes %d-%d/%d", have, d.meta.size-1, d.meta.size); got != want || have == 0 {
			d.afresh = true
			return &transientError{err: fmt.Errorf("%w: %s has the Content-Range %.100q, want %q", ErrProtocol, from, got, want)}
		}
	case http.StatusRequestedRangeNotSatisfiable:
		d.afresh = true
		return &transientError{err: fmt.Errorf("%w: %s has no bytes from %d on, want %d in all", ErrProtocol, from, have, d.meta.size)}
	default:
		return d.statusError(resp)
	}
	if coding := encoding(resp); coding != "" {
		return fmt.Errorf("%w: %s is encoded (%.100q), though asked not to be", ErrProtocol, from, coding)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == "text/html" {
		return fmt.Errorf("%w: %s is an HTML page, want %d bytes of %s: is there a login page in between?", ErrProtocol, from, d.meta.size, d.file)
	}
	if resp.ContentLength >= 0 && resp.ContentLength != left {
		return fmt.Errorf("%w: %s has %d bytes, want %d", ErrMismatch, from, resp.ContentLength, left)
	}
	return nil
}

// receive appends body to part, which has the first have bytes, and returns how many it has
// then. A body that is too short is a transient error, one that is too long is not.
func (d *download) receive(ctx context.Context, part io.Writer, body io.Reader, have int64, alive func(bytes int)) (int64, error) {
	buffer := make([]byte, chunk)
	for {
		// Ask for one byte more than wanted, to notice a body that is too long.
		n, err := body.Read(buffer[:min(chunk, d.meta.size-have+1)])
		if have+int64(n) > d.meta.size {
			return have, fmt.Errorf("%w: more than the %d announced bytes arrive", ErrMismatch, d.meta.size)
		}
		if n > 0 {
			alive(n)
			written, err := part.Write(buffer[:n])
			have += int64(written)
			if err != nil {
				return have, err
			}
			d.progress(d.file, have, d.meta.size)
		}
		switch {
		case err == io.EOF && have == d.meta.size:
			return have, nil
		case err == io.EOF:
			err = io.ErrUnexpectedEOF
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return have, context.Cause(ctx)
		}
		return have, &transientError{err: fmt.Errorf("the connection ended after %d of %d bytes: %w", have, d.meta.size, err)}
	}
}
