// Package darwinkit is the gpu.Driver of a Mac: Metal, by the messages that
// darwinkit's Objective-C runtime sends.
//
// What sends messages is under one constraint, macOS with cgo, or the tag
// fakemetal, which is Linux with a stand-in for Metal; stub.go is all other
// builds. Files without a constraint are plain Go.
//
// Nothing here trusts what it is given: a work list is checked before the first
// message, since Metal ends the process over misuse.
package darwinkit
