package chromium

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// message is what DevTools say: an answer where ID is not 0, else an event.
type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct{ Message string }
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
	if b.crashed {
		return nil, errCrashed
	}
	text, err := b.from.ReadBytes(0)
	if err != nil {
		return nil, err
	}
	m := new(message)
	if err := json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), m); err != nil {
		return nil, err
	}
	if b.crashed = m.Method == "Inspector.targetCrashed"; b.crashed {
		return nil, errCrashed
	}
	return m, nil
}

// errCrashed is said of a page that answers nothing any more, though its browser does.
var errCrashed = errors.New("the page has crashed")

// note keeps what a good page does not cause.
func (b *Browser) note(m *message) {
	var p struct {
		Request struct{ URL string }
		Entry   struct{ Level, Text string }
		Name    string
		Loader  string `json:"loaderId"`
	}
	if json.Unmarshal(m.Params, &p) != nil {
		return
	}
	switch m.Method {
	case "Page.lifecycleEvent":
		if p.Name == "load" {
			b.loaded[p.Loader] = true
		}
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
