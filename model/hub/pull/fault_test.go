package pull

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

// storageOnce is a fault of the first GET of the weights.
func storageOnce(act pulltest.Act) pulltest.Fault {
	return pulltest.Fault{Method: "GET", File: hub.WeightsFile, Storage: true, Times: 1, Do: act}
}

// What goes wrong on the way of the weights, and is overcome. Each case says
// which ranges are asked for.
func TestDownloadRecovers(t *testing.T) {
	const cut = 1_500_000
	rest := fmt.Sprintf("bytes=%d-", cut)
	truth := weights()
	for _, c := range []struct {
		name   string
		before []byte // what an earlier pull left
		faults []pulltest.Act
		want   []string
	}{
		{"resume an earlier pull", truth[:cut], nil, []string{rest}},
		{"an earlier pull had it all", truth, nil, nil},
		{"an earlier pull had too much", append(slices.Clone(truth), 'x'), nil, []string{""}},
		{"an earlier pull had rubbish", make([]byte, cut), nil, []string{rest, ""}},
		{"an earlier pull had as much rubbish", make([]byte, weightLen), nil, []string{""}},
		{"short body", nil, []pulltest.Act{pulltest.Cut(cut)}, []string{"", rest}},
		{"short bodies", nil, []pulltest.Act{pulltest.Cut(100), pulltest.Cut(200), pulltest.Cut(300)}, []string{"", "bytes=100-", "bytes=300-", "bytes=600-"}},
		{"chunked short body", nil, []pulltest.Act{pulltest.Body(func(b []byte) []byte { return b[:cut] })}, []string{"", rest}},
		{"range not heeded", truth[:cut], []pulltest.Act{pulltest.IgnoreRange()}, []string{rest}},
		{"range not heeded, rubbish before", make([]byte, cut), []pulltest.Act{pulltest.IgnoreRange()}, []string{rest}},
		{"range refused", truth[:cut], []pulltest.Act{pulltest.Status(416)}, []string{rest, ""}},
		{"another range", truth[:cut], []pulltest.Act{pulltest.Header("Content-Range", "bytes 0-1499999/3000000")}, []string{rest, ""}},
		{"range of another size", truth[:cut], []pulltest.Act{pulltest.Header("Content-Range", "bytes 1500000-2999999/3000001")}, []string{rest, ""}},
		{"range not named", truth[:cut], []pulltest.Act{pulltest.Header("Content-Range", "")}, []string{rest, ""}},
		{"a range unasked for", nil, []pulltest.Act{pulltest.Status(206, "Content-Range", "bytes 0-2999999/3000000")}, []string{"", ""}},
		{"resumed with a flipped bit", truth[:cut], []pulltest.Act{pulltest.Corrupt()}, []string{rest, ""}},
		{"signature run out", nil, []pulltest.Act{pulltest.Status(403)}, []string{"", ""}},
		{"server errors", nil, []pulltest.Act{pulltest.Status(500), pulltest.Status(502), pulltest.Status(503), pulltest.Status(504)}, []string{"", "", "", "", ""}},
		{"no answer", nil, []pulltest.Act{func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }}, []string{"", ""}},
		{"nothing more comes", nil, []pulltest.Act{pulltest.Hang(cut)}, []string{"", rest}},
		{"little by little", nil, []pulltest.Act{pulltest.Drip(6, 50*time.Second)}, []string{""}},
		{"nothing comes", nil, []pulltest.Act{func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }}, []string{"", ""}},
	} {
		bubble(t, c.name, func(t *testing.T) {
			r := newMemoryRig(t)
			if c.before != nil {
				r.plantPart(t, c.before)
			}
			for _, act := range c.faults {
				r.Fault(storageOnce(act))
			}
			r.mustPull(t)
			if got := r.ranges(); !slices.Equal(got, c.want) {
				t.Errorf("asked for the ranges %q, want %q", got, c.want)
			}
		})
	}
}

// What goes wrong and stays so: the error's kind and words, and that no
// snapshot shows the file.
func TestDownloadFails(t *testing.T) {
	truth, _ := etagOf(t, hub.WeightsFile)
	flipped := weights()
	flipped[0] ^= 1 // as pulltest.Corrupt does
	arrived, err := pulltest.Etag(bytes.NewReader(flipped), hub.WeightsFile, weightLen)
	if err != nil {
		t.Fatal(err)
	}
	longer := func(b []byte) []byte { return append(b, 'x') }
	for _, c := range []struct {
		name string
		act  pulltest.Act
		kind error
		say  []string
		left bool // the partial file stays, to go on from
	}{
		{"wrong content", pulltest.Corrupt(), ErrMismatch, []string{"model.safetensors", truth, arrived}, false},
		{"wrong length", pulltest.Status(200, "Content-Length", "9223372036854775807"), ErrMismatch, []string{"9223372036854775807", "want 3000000"}, true},
		{"too long", pulltest.Body(longer), ErrMismatch, []string{"more than the 3000000 announced"}, true},
		{"login page", pulltest.LoginPage(), ErrProtocol, []string{"HTML page", "login"}, true},
		{"compressed", pulltest.Header("Content-Encoding", "gzip"), ErrProtocol, []string{"gzip"}, true},
		{"never more than a little", pulltest.Cut(0), io.ErrUnexpectedEOF, []string{"6 attempts", "0 of 3000000"}, true},
		{"never the range", pulltest.Status(416), ErrProtocol, []string{"6 attempts"}, true},
		{"never served", pulltest.Status(404), ErrProtocol, []string{"6 attempts", "404 Not Found"}, true},
		{"down", pulltest.Status(503), nil, []string{"6 attempts", "503 Service Unavailable"}, true},
	} {
		bubble(t, c.name, func(t *testing.T) {
			r := newMemoryRig(t)
			fault := storageOnce(c.act)
			fault.Times = 0
			r.Fault(fault)
			_, err := r.pull()
			if err == nil || c.kind != nil && !errors.Is(err, c.kind) {
				t.Fatalf("%v, want %v", err, c.kind)
			}
			for _, want := range c.say {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "signature") {
				t.Errorf("error %q shows a signed address", err)
			}
			if _, err := os.Stat(r.part(t)); (err == nil) != c.left {
				t.Errorf("the partial file: %v, want it left: %t", err, c.left)
			}
			if _, err := r.Cache.Resolve(testID); !errors.Is(err, hub.ErrIncomplete) {
				t.Errorf("the cache resolves: %v", err)
			}
			if _, err := os.Stat(filepath.Join(r.Cache.Repo(testID), "refs", "main")); err == nil {
				t.Error("refs/main names the incomplete snapshot")
			}
		})
	}
}

// A server that brings a little each time and starts over is given up on, as
// nothing is gained.
func TestNoProgressWithoutGain(t *testing.T) {
	r := newRig(t)
	r.Fault(pulltest.Fault{Storage: true, Do: func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		q = q.Clone(q.Context())
		q.Header.Del("Range")
		pulltest.Cut(2_000_000)(w, q, next)
	}})
	if _, err := r.pull(); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "given up") {
		t.Error(err)
	}
	if got := len(r.ranges()); got > 2*attempts {
		t.Errorf("%d requests", got)
	}
}

// Attempts that bring something are not counted against those that do not.
func TestProgressResetsAttempts(t *testing.T) {
	r := newRig(t)
	for range attempts - 1 {
		r.Fault(storageOnce(pulltest.Status(503)))
	}
	r.Fault(storageOnce(pulltest.Cut(1_200_000)))
	for range attempts - 2 {
		r.Fault(storageOnce(pulltest.Status(503)))
	}
	r.mustPull(t)
}

// A pull whose context ends keeps what it has, and the next goes on from there.
func TestCancel(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.Progress = func(file string, done, _ int64) {
		if file == hub.WeightsFile && done > 0 {
			cancel()
		}
	}
	r.Fault(storageOnce(pulltest.Hang(1_000_000)))
	if _, err := Pull(ctx, r.Options); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	info, err := os.Stat(r.part(t))
	if err != nil || info.Size() == 0 || info.Size() > 1_000_000 {
		t.Fatalf("kept: %v, %v", info, err)
	}
	r.Progress = nil
	r.Requests()
	r.mustPull(t)
	if got, want := r.ranges(), []string{fmt.Sprintf("bytes=%d-", info.Size())}; !slices.Equal(got, want) {
		t.Errorf("went on with %q, want %q", got, want)
	}

	r = newRig(t)
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	if _, err := Pull(ctx, r.Options); !errors.Is(err, context.Canceled) || len(r.Requests()) > 0 {
		t.Errorf("cancelled before: %v", err)
	}

	bubble(t, "in a pause between attempts", func(t *testing.T) {
		r := newMemoryRig(t)
		r.Sleep = nil // on the bubble's clock
		ctx, cancel := context.WithCancel(context.Background())
		r.Retrying = func(string, error, time.Duration) { time.AfterFunc(time.Second, cancel) }
		r.Fault(pulltest.Fault{Do: pulltest.Status(503, "Retry-After", "60")})
		began := time.Now()
		if _, err := Pull(ctx, r.Options); !errors.Is(err, context.Canceled) || time.Since(began) != time.Second {
			t.Errorf("cancelled after %v: %v", time.Since(began), err)
		}
	})
}

// fullDisk takes some bytes and then no more.
type fullDisk struct{ left int }

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(d.left, len(p))
	d.left -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestReceive(t *testing.T) {
	p := &puller{progress: func(string, int64, int64) {}}
	d := &download{puller: p, meta: metadata{size: 1000}}
	body := strings.Repeat("x", 990)
	for _, c := range []struct {
		name string
		disk int
		body io.Reader
		end  int64
		kind error
	}{
		{"whole", 1000, strings.NewReader(body), 1000, nil},
		{"byte by byte", 1000, iotest.OneByteReader(strings.NewReader(body)), 1000, nil},
		{"end with data", 1000, iotest.DataErrReader(strings.NewReader(body)), 1000, nil},
		{"full disk", 500, strings.NewReader(body), 510, errFull},
		{"broken connection", 1000, iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(body))), 11, iotest.ErrTimeout},
		{"short", 1000, strings.NewReader(body[1:]), 999, io.ErrUnexpectedEOF},
		{"long", 1000, strings.NewReader(body + "x"), 10, ErrMismatch},
	} {
		end, err := d.receive(context.Background(), &fullDisk{c.disk}, c.body, 10, func(int) {})
		if end != c.end || !errors.Is(err, c.kind) {
			t.Errorf("%s: ended at %d with %v, want %d with %v", c.name, end, err, c.end, c.kind)
		}
		transient := (*transientError)(nil)
		if again := c.kind == iotest.ErrTimeout || c.kind == io.ErrUnexpectedEOF; errors.As(err, &transient) != again {
			t.Errorf("%s: transient is %t, want %t", c.name, !again, again)
		}
	}
}
