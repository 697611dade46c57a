//go:build !linux

package emulator

import "os"

func memoryFile(int64) (*os.File, error) { return nil, ErrNoCompiler }
func pathOf(*os.File) string             { return "" }
func ownFolder() (string, error)         { return "", ErrNoCompiler }
