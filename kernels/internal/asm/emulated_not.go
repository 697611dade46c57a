//go:build !amxemu

package asm

const emulated = false
