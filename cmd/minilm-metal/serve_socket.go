package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// listenUnix is net.Listen for a Unix socket, in the place of one that was left.
func listenUnix(network, path string) (net.Listener, error) {
	// Servers that start at the same moment take turns: otherwise two would find a socket that
	// was left, and the second would remove that of the first. Where folders have no locks, or
	// another program keeps this one, they take none.
	const longest, poll = 10 * time.Second, 5 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	folder := flock.New(filepath.Dir(path), flock.SetFlag(os.O_RDONLY))
	if locked, _ := folder.TryLockContext(ctx, poll); locked {
		defer folder.Close()
	}
	l, err := net.Listen(network, path)
	if inUse(err) && isLeft(network, path) {
		if err = os.Remove(path); err == nil {
			l, err = net.Listen(network, path)
		}
	}
	return l, err
}

// isLeft reports whether a socket's file is left of a program that ended without removing it.
func isLeft(network, path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return false
	}
	c, err := net.Dial(network, path)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, windowsRefused)
}
