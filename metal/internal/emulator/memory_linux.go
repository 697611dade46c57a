package emulator

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// memoryFile returns a file without a name, in memory.
func memoryFile(bytes int64) (*os.File, error) {
	fd, err := unix.MemfdCreate("emulator", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "memory")
	if err := f.Truncate(bytes); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// pathOf returns a path by which a child process can open the file.
func pathOf(f *os.File) string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd())
}

// ownFolder returns a folder for temporary files that other users cannot write to.
func ownFolder() (string, error) {
	uid := os.Getuid()
	path := filepath.Join(os.TempDir(), "minilm-metal-emulator-"+strconv.Itoa(uid))
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || info.Mode().Perm() != 0o700 || int(s.Uid) != uid {
		return "", fmt.Errorf("emulator: %s is not a folder of this user alone", path)
	}
	return path, nil
}
