package peers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// installed is a file in a virtual environment that is complete. It has the requirements that
// were installed.
const installed = "minilm-metal-peers.txt"

// Venv returns the Python of the virtual environment in dir, which it makes with base if there
// is none, and into which it installs the requirements of a task unless it has done so before. say hears
// what takes long. What python and pip write goes to the returned error alone.
func Venv(ctx context.Context, task, dir, base string, say func(string)) (python string, err error) {
	if dir, err = filepath.Abs(dir); err != nil { // the scripts may be run from elsewhere
		return "", fmt.Errorf("peers: %w", err)
	}
	python = filepath.Join(dir, "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(dir, "Scripts", "python.exe")
	}
	mark := filepath.Join(dir, installed)
	_, missing := os.Stat(python)
	if text, err := os.ReadFile(mark); err == nil && missing == nil && string(text) == Requirements(task) {
		return python, nil
	}
	if errors.Is(missing, fs.ErrNotExist) {
		say("making a virtual environment in " + dir)
		if err := quietly(ctx, base, "-m", "venv", dir); err != nil {
			os.Remove(python) // which comes before pip, and would pass for a whole environment
			return "", err
		}
	}
	list := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(list, []byte(Requirements(task)), 0o666); err != nil {
		return "", fmt.Errorf("peers: %w", err)
	}
	say("installing what the peers need into " + dir + ", some gigabytes")
	if err := quietly(ctx, python, "-m", "pip", "install", "--disable-pip-version-check", "-r", list); err != nil {
		return "", err
	}
	if err := os.WriteFile(mark, []byte(Requirements(task)), 0o666); err != nil {
		return "", fmt.Errorf("peers: %w", err)
	}
	return python, nil
}

// quietly runs a program. Its error has the end of what the program wrote.
func quietly(ctx context.Context, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	var said words
	c.Stdout, c.Stderr = &said, &said
	// pip starts others, which end with it and do not keep us waiting for their output.
	apart(c)
	c.Cancel, c.WaitDelay = func() error { return kill(c) }, time.Second
	if err := c.Run(); err != nil {
		if words := lastLine(said.String()); words != "" {
			err = fmt.Errorf("%w: %s", err, words)
		}
		return fmt.Errorf("peers: %s: %w", name, err)
	}
	return nil
}
