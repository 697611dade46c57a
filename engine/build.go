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

// module is this module's path, by which a build's information lists its version.
const module = "github.com/minilm-metal/minilm-metal"

// buildID returns a text that changes whenever this package's arithmetic may have changed.
// It is the version and the build's target where the version stands for exactly one state
// of the source; otherwise it is a hash of the executable.
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

// sourceVersion returns this module's version and build settings. It returns "" where the
// version does not tell the source: in a checkout with changes, in a build without version
// control, and where another module replaces this one.
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

// executableID returns a text that tells one executable from another: the content hash that
// the go command writes near its beginning. Building again from the same source, as "go
// run" does, keeps the hash. For an executable without one, from another build system, the
// text is its length and checksum, which takes some milliseconds to compute.
func executableID(file io.ReadSeeker) (string, error) {
	// The go command itself searches this far: cmd/internal/buildid.
	const within = 32 << 10
	head, err := io.ReadAll(io.LimitReader(file, within))
	if err != nil {
		return "", err
	}
	// On Linux the hash is in an ELF note of type 4 named "Go"; elsewhere it is a text
	// before the code.
	for _, before := range []string{"\x04\x00\x00\x00Go\x00\x00", "Go build ID: \""} {
		_, id, _ := bytes.Cut(head, []byte(before))
		if end := bytes.IndexFunc(id, notInBuildID); end > 0 {
			id = id[:end]
		}
		// The build ID has four hashes: two of actions, two of contents. The last is the
		// executable's content.
		if parts := strings.Split(string(id), "/"); len(parts) == 4 && len(parts[3]) >= 16 {
			return parts[3], nil
		}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli)) // Castagnoli, since most processors have an instruction for it
	n, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{file}, make([]byte, 1<<20))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d bytes, %08x", n, sum.Sum32()), nil
}
