//go:build !amxemu && !noasm

package asm

const emulated = false
