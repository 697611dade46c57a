package engine

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// module is this module's path, which its version goes by.
const module = "github.com/minilm-metal/minilm-metal"

// buildID returns what is another where this package's arithmetic may be another: the
// version, where the build has one that means one state of the source, and what it was
// built for; else what the executable consists of.
var buildID = sync.OnceValues(func() (string, error) {
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := sourceVersion(info); v != "" {
			return v, nil
		}
	}
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	id, err := executableID(f)
	return id, errors.Join(err, f.Close())
})

// sourceVersion returns the version of this module in a build and how it was built, ""
// where the source may be any: in a checkout with changes, or with none of version
// control, and in place of another module.
func sourceVersion(info *debug.BuildInfo) string {
	of := &info.Main
	for _, m := range info.Deps {
		if m.Path == module {
			of = m
		}
	}
	if of.Path != module || of.Replace != nil || of.Version == "" || of.Version == "(devel)" || strings.Contains(of.Version, "dirty") {
		return ""
	}
	version := of.Version + " " + info.GoVersion + " " + runtime.GOARCH
	for _, s := range info.Settings {
		switch s.Key {
		case "-tags", "-gcflags", "-race", "GOAMD64", "GOARM64", "GOEXPERIMENT":
			version += " " + s.Key + "=" + s.Value
		}
	}
	return version
}

func notInBuildID(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '/')
}

// executableID tells one executable from another, by the hash of its content that the
// go command puts at its beginning. A program that is built anew from the same source,
// by "go run" for example, keeps it. One that has none, as from another build system,
// goes by its length and checksum, which takes some milliseconds.
func executableID(file io.ReadSeeker) (string, error) {
	// Where the go command itself looks for it: cmd/internal/buildid.
	const within = 32 << 10
	head, err := io.ReadAll(io.LimitReader(file, within))
	if err != nil {
		return "", err
	}
	// In Linux's format a note of type 4 by "Go", in others a text before the code.
	for _, before := range []string{"\x04\x00\x00\x00Go\x00\x00", "Go build ID: \""} {
		_, id, _ := bytes.Cut(head, []byte(before))
		if end := bytes.IndexFunc(id, notInBuildID); end > 0 {
			id = id[:end]
		}
		// The hashes of two actions and two contents, the last that of the executable.
		if parts := strings.Split(string(id), "/"); len(parts) == 4 && len(parts[3]) >= 16 {
			return parts[3], nil
		}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli)) // most processors have it
	n, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{file}, make([]byte, 1<<20))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d bytes, %08x", n, sum.Sum32()), nil
}
