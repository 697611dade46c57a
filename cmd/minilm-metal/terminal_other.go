//go:build !windows

package main

// endOfInput is the key that ends typed input.
const endOfInput = "Ctrl-D"
