// Package chromium looks at pages with a Chromium that is there, for tests: over the pipe
// that DevTools speak, with the network off unless the page is a server's.
package chromium

import (
	"bufio"
	"bytes"
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
	"strings"
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
	to      io.WriteCloser
	from    *bufio.Reader
	profile string
	session string
	id      int
	// Seen are the errors and warnings of the page, and what it fetched beside itself and, if it
	// is a server's, from elsewhere than that.
	Seen []string
	page string // the address that is opened
	own  string // what all addresses of its server begin with; "" for a page that has none
}

// message is what DevTools say: an answer where ID is not 0, else an event.
type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct{ Message string }
}

// Start starts the Chromium at path. It ends with ctx or by Close.
func Start(ctx context.Context, path string) (_ *Browser, err error) {
	b := new(Browser)
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
	defer commands.Close()
	from, answers, err := os.Pipe() // its file 4
	if err != nil {
		return nil, err
	}
	defer answers.Close()
	b.to, b.from = to, bufio.NewReader(from)
	// The sandbox needs rights that a container does not give; the pages are our own.
	b.cmd = exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir="+b.profile, "about:blank")
	b.cmd.ExtraFiles = []*os.File{commands, answers}
	b.cmd.WaitDelay = 5 * time.Second
	if err := b.cmd.Start(); err != nil {
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
	for _, domain := range []string{"Page", "Network", "Log", "Runtime"} {
		if err := b.call(domain+".enable", nil, nil); err != nil {
			return nil, err
		}
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

// Close ends the browser.
func (b *Browser) Close() {
	if b.to != nil {
		b.to.Close() // which is how it is told
	}
	if b.cmd != nil && b.cmd.Process != nil {
		b.cmd.Process.Kill()
		b.cmd.Wait()
	}
	os.RemoveAll(b.profile)
}

// call sends a command and waits for its answer.
func (b *Browser) call(method string, params, result any) error {
	b.id++
	command := map[string]any{"id": b.id, "method": method}
	if params != nil {
		command["params"] = params
	}
	if b.session != "" {
		command["sessionId"] = b.session
	}
	text, err := json.Marshal(command)
	if err != nil {
		return err
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		return err
	}
	for {
		m, err := b.next()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", method, err)
		case m.ID != b.id:
			b.note(m)
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case result == nil:
			return nil
		default:
			return json.Unmarshal(m.Result, result)
		}
	}
}

func (b *Browser) next() (*message, error) {
	text, err := b.from.ReadBytes(0)
	if err != nil {
		return nil, err
	}
	m := new(message)
	return m, json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), m)
}

// note keeps what a good page does not cause.
func (b *Browser) note(m *message) {
	var p struct {
		Request struct{ URL string }
		Entry   struct{ Level, Text string }
		Type    string
	}
	if json.Unmarshal(m.Params, &p) != nil {
		return
	}
	switch m.Method {
	case "Network.requestWillBeSent":
		if u := p.Request.URL; u != b.page && !strings.HasPrefix(u, "data:") && (b.own == "" || !strings.HasPrefix(u, b.own)) {
			b.Seen = append(b.Seen, "request of "+p.Request.URL)
		}
	case "Log.entryAdded":
		b.Seen = append(b.Seen, p.Entry.Level+": "+p.Entry.Text)
	case "Runtime.consoleAPICalled", "Runtime.exceptionThrown":
		b.Seen = append(b.Seen, m.Method+": "+string(m.Params))
	}
}

// View is how a page is looked at.
type View struct {
	Width, Height int
	Dark, Print   bool
}

// Open opens a page and waits until it is loaded.
func (b *Browser) Open(url string, v View) error {
	b.page = url
	scheme, media := "light", "screen"
	if v.Dark {
		scheme = "dark"
	}
	if v.Print {
		media = "print"
	}
	if err := errors.Join(
		b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": v.Width, "height": v.Height, "deviceScaleFactor": 1, "mobile": false}, nil),
		b.call("Emulation.setEmulatedMedia", map[string]any{"media": media, "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil),
		b.call("Page.navigate", map[string]any{"url": url}, nil)); err != nil {
		return err
	}
	for {
		m, err := b.next()
		if err != nil {
			return err
		}
		b.note(m)
		if m.Method == "Page.loadEventFired" {
			return nil
		}
	}
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
