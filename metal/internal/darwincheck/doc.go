// Package darwincheck has tests alone: they check on every machine what is
// compiled on a Mac with cgo only.
//
// Those files are type-checked for macOS on Apple silicon against darwinkit's real
// API, from sources, without a C compiler. What the compiler cannot see, that a
// message is a string and its arguments can be anything, is checked by name: each
// selector must be one that darwinkit sends, and have as many arguments as it has
// colons.
package darwincheck
