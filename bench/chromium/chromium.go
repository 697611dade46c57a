// Package chromium looks at pages with a Chromium that is there, for tests: over the pipe
// that DevTools speak, with the network off unless the page is a server's.
package chromium

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"
)

// Find returns the path of a Chromium, "" if there is none that can be spoken to: on Windows a
// process inherits no pipes but its own three.
func Find() string {
	if runtime.GOOS == "windows" {
		return ""
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless_shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Browser is a Chromium with one page.
type Browser struct {
	cmd     *exec.Cmd
	end     context.CancelFunc // tells cmd to end, as the end of Start's context does
	to      io.WriteCloser
	answers io.Closer
	from    *bufio.Reader // of answers
	profile string
	session string
	id      int
	// Seen are the errors and warnings of the page, and what it fetched beside itself and, if it
	// is a server's, from elsewhere than that.
	Seen []string
	page string // the address that is opened
	own  string // what all addresses of its server begin with; "" for a page that has none
	// loaded are the documents that have been loaded since Open began.
	loaded  map[string]bool
	crashed bool
}

// Start starts the Chromium at path. It ends with ctx or by Close.
func Start(ctx context.Context, path string) (_ *Browser, err error) {
	b := &Browser{loaded: map[string]bool{}}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()
	if b.profile, err = os.MkdirTemp("", "chromium"); err != nil {
		return nil, err
	}
	commands, to, err := os.Pipe() // its file 3
	if err != nil {
		return nil, err
	}
	b.to = to
	from, answers, err := os.Pipe() // its file 4
	if err != nil {
		commands.Close()
		return nil, err
	}
	b.answers, b.from = from, bufio.NewReader(from)
	// The sandbox needs rights that a container does not give; the pages are our own.
	ctx, b.end = context.WithCancel(ctx)
	b.cmd = exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir="+b.profile, "about:blank")
	b.cmd.ExtraFiles = []*os.File{commands, answers}
	b.cmd.Cancel, b.cmd.WaitDelay = to.Close, patience
	err = b.cmd.Start()
	commands.Close()
	answers.Close() // else they would have no end when it ends
	if err != nil {
		return nil, err
	}
	var target struct{ TargetID string }
	if err := b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return nil, err
	}
	var attached struct{ SessionID string }
	if err := b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached); err != nil {
		return nil, err
	}
	b.session = attached.SessionID
	for _, domain := range []string{"Inspector", "Page", "Network", "Log", "Runtime"} {
		if err := b.call(domain+".enable", nil, nil); err != nil {
			return nil, err
		}
	}
	if err := b.call("Page.setLifecycleEventsEnabled", map[string]any{"enabled": true}, nil); err != nil {
		return nil, err
	}
	return b, b.network(false)
}

// Serve puts the network on, for pages that may ask the server whose addresses begin with own.
// With "" it is off again.
func (b *Browser) Serve(own string) error {
	b.own = own
	return b.network(own != "")
}

func (b *Browser) network(on bool) error {
	return b.call("Network.emulateNetworkConditions", map[string]any{"offline": !on, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}, nil)
}

// patience is how long a browser may take to end by itself.
const patience = 10 * time.Second

// Close ends the browser. One that is told to end has its own processes end first, which would otherwise
// still write to its profile while that is removed.
func (b *Browser) Close() {
	if b.to != nil {
		b.to.Close() // which is how it is told
	}
	if b.answers != nil {
		b.answers.Close() // it does not wait for who reads them
	}
	if b.cmd != nil {
		b.end()
		_ = b.cmd.Wait() // which returns at once if it has not started
	}
	os.RemoveAll(b.profile)
}

// View is how a page is looked at.
type View struct {
	Width, Height int
	Dark, Print   bool
}

// Open opens a page and waits until it is loaded.
func (b *Browser) Open(url string, v View) error {
	b.page, b.loaded = url, map[string]bool{}
	scheme, media := "light", "screen"
	if v.Dark {
		scheme = "dark"
	}
	if v.Print {
		media = "print"
	}
	var opens struct{ ErrorText, LoaderID string }
	if err := errors.Join(
		b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": v.Width, "height": v.Height, "deviceScaleFactor": 1, "mobile": false}, nil),
		b.call("Emulation.setEmulatedMedia", map[string]any{"media": media, "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil),
		b.call("Page.navigate", map[string]any{"url": url}, &opens)); err != nil {
		return err
	}
	if opens.ErrorText != "" {
		return fmt.Errorf("%s: %s", url, opens.ErrorText)
	}
	for !b.loaded[opens.LoaderID] { // which may have been told before that it opens
		m, err := b.next()
		if err != nil {
			return fmt.Errorf("%s: %w", url, err)
		}
		b.note(m)
	}
	return nil
}

// Eval evaluates JavaScript in the page, and decodes its value: that of a promise when it is
// kept. A nil value is not decoded.
func (b *Browser) Eval(script string, value any) error {
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	if err := b.call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}, &answer); err != nil {
		return err
	}
	if answer.ExceptionDetails != nil {
		return fmt.Errorf("script: %s", answer.ExceptionDetails)
	}
	if value == nil {
		return nil
	}
	return json.Unmarshal(answer.Result.Value, value)
}

// Picture is a part of the page as a PNG.
func (b *Browser) Picture(x, y, width, height float64) ([]byte, error) {
	var shot struct{ Data string }
	clip := map[string]any{"x": x, "y": y, "width": width, "height": height, "scale": 1}
	if err := b.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true, "clip": clip}, &shot); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(shot.Data)
}

//go:embed look.js
var look string

// Look says what is wrong with the page that is open: links that lead nowhere, texts that are
// hard to read or lie on each other, fields without labels, sideways scrolling; scripts, unless
// it is a server's. least is the lowest contrast of all
// texts, height that of the page.
func (b *Browser) Look() (wrong []string, least, height float64, err error) {
	var found struct {
		Wrong         []string
		Least, Height float64
	}
	err = b.Eval("("+look+")("+strconv.FormatBool(b.own != "")+")", &found)
	return found.Wrong, found.Least, found.Height, err
}
