package peers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

const (
	// longestAnswer is the most bytes of a line that are read: a million scores.
	longestAnswer = 64 << 20
	// keptWords is how much of the end of a process's standard error is kept.
	keptWords = 8 << 10
	// farewell is how long a process may take to end once its input is closed.
	farewell = 5 * time.Second
)

// child is a process that speaks the protocol. Only one goroutine may ask it.
type child struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     io.ReadCloser
	lines   *bufio.Scanner
	words   words
	begun   time.Time // just before it was started
	ended   bool
}

// start starts a process. It ends with ctx at the latest.
func start(ctx context.Context, command, env []string) (*child, error) {
	c := &child{command: exec.CommandContext(ctx, command[0], command[1:]...)}
	c.command.Env = append(os.Environ(), env...)
	c.command.Stderr = &c.words
	// What the process has started may still hold its standard error.
	c.command.WaitDelay = time.Second
	c.command.Cancel = func() error { return kill(c.command) }
	apart(c.command)
	var err error
	if c.in, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	if c.out, err = c.command.StdoutPipe(); err != nil {
		return nil, err
	}
	c.lines = bufio.NewScanner(c.out)
	c.lines.Buffer(nil, longestAnswer)
	c.begun = time.Now()
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	return c, nil
}

// ask sends a request and waits for its answer, limit at most. took is the time from before
// the first byte was sent to when the last one was there, by our clock, which is the same
// for all peers. After an error other than a *peerError the process is of no more use.
func (c *child) ask(ctx context.Context, limit time.Duration, r request) (a answer, took time.Duration, err error) {
	line, err := json.Marshal(r)
	if err != nil {
		return a, 0, err
	}
	// A process that hangs is killed, and then both pipes end, so nothing here can wait.
	watch := time.AfterFunc(limit, func() {
		kill(c.command)
		c.out.Close()
	})
	begun := time.Now()
	_, err = c.in.Write(append(line, '\n'))
	answered := c.lines.Scan() && err == nil // what could not be asked is not answered, and its output ends
	took = time.Since(begun)
	if hung := !watch.Stop(); hung && !answered {
		c.close()
		return a, took, &crash{fmt.Sprintf("no answer to %q within %v", r.Do, limit), c.words.String()}
	}
	if !answered {
		broken := c.lines.Err()
		c.close()
		switch {
		case ctx.Err() != nil:
			return a, took, ctx.Err()
		case errors.Is(broken, bufio.ErrTooLong):
			return a, took, &crash{fmt.Sprintf("its answer to %q is longer than %d bytes", r.Do, longestAnswer), c.words.String()}
		}
		return a, took, &crash{fmt.Sprintf("it ended (%v) and had not answered %q", c.command.ProcessState, r.Do), c.words.String()}
	}
	if err := json.Unmarshal(c.lines.Bytes(), &a); err != nil {
		c.close()
		return a, took, &crash{fmt.Sprintf("its answer to %q is %.60q, want a line of JSON: %v", r.Do, c.lines.Bytes(), err), c.words.String()}
	}
	if a.Error != "" {
		return a, took, &peerError{a.Error, a.Missing}
	}
	return a, took, nil
}

// close ends the process: it is asked to, by the end of its input, and killed if it does not.
func (c *child) close() {
	if c.ended {
		return
	}
	c.ended = true
	c.in.Close()
	late := time.AfterFunc(farewell, func() {
		kill(c.command)
		c.out.Close()
	})
	io.Copy(io.Discard, c.out)
	c.command.Wait() // its error is in ProcessState, and after an answer nobody asks
	late.Stop()
	kill(c.command) // what it has started may still run, and be in the time of the next
}

// words keeps the end of what is written to it.
type words struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(b)
	w.text.Next(max(0, w.text.Len()-keptWords))
	return len(b), nil
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
