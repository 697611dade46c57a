//go:build fakemetal && !darwin

package darwinkit

import "runtime"

// system returns the operating system that stands in for macOS.
func system() string { return runtime.GOOS }
