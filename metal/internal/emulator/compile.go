package emulator

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// ErrNoCompiler is in the error of a machine that shaders cannot be emulated on.
var ErrNoCompiler = errors.New("emulator: it takes clang++ (14 or later) on linux/amd64")

//go:embed msl
var msl embed.FS

// units are the files of the runtime, compiled apart from the shaders.
var units = []string{"group.cpp", "matrix.cpp", "buffers.cpp", "workers.cpp", "main.cpp"}

// headers are Metal's other names for what metal_stdlib has.
var headers = []string{"metal_simdgroup", "metal_simdgroup_matrix", "metal_math"}

// compiler is a clang and the folder where what it made is kept. The folder is
// this user's, shared by all processes and runs; names are hashes of all that the
// content depends on.
type compiler struct {
	path    string
	major   int
	salt    []byte // what the output depends on beside source and flags
	folder  string
	include string // where the headers are
}

var versionText = regexp.MustCompile(`clang version (\d+)`)

func newCompiler() (*compiler, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil, ErrNoCompiler
	}
	names := []string{"clang++"}
	for v := 20; v >= 14; v-- {
		names = append(names, "clang++-"+strconv.Itoa(v))
	}
	c := &compiler{}
	var version []byte
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if version, err = exec.Command(path, "--version").Output(); err != nil {
			continue
		}
		if m := versionText.FindSubmatch(version); m != nil {
			c.major, _ = strconv.Atoi(string(m[1]))
		}
		if c.major >= 14 {
			c.path = path
			break
		}
	}
	if c.path == "" {
		return nil, ErrNoCompiler
	}
	hash := sha256.New()
	hash.Write(version)
	hash.Write(processor()) // -march=native depends on it
	files, err := msl.ReadDir("msl")
	if err != nil {
		return nil, err
	}
	content := map[string][]byte{}
	for _, f := range files {
		if content[f.Name()], err = msl.ReadFile("msl/" + f.Name()); err != nil {
			return nil, err
		}
		fmt.Fprintf(hash, "%s %d\n", f.Name(), len(content[f.Name()]))
		hash.Write(content[f.Name()])
	}
	for _, name := range headers {
		content[name] = []byte("#include <metal_stdlib>\n")
		fmt.Fprintln(hash, name)
	}
	c.salt = hash.Sum(nil)
	if c.folder, err = ownFolder(); err != nil {
		return nil, err
	}
	c.include, err = c.keep("include", func(path string) error {
		if err := os.Mkdir(path, 0o700); err != nil {
			return err
		}
		for name, text := range content {
			if err := os.WriteFile(filepath.Join(path, name), text, 0o600); err != nil {
				return err
			}
		}
		return nil
	})
	return c, err
}

// processor returns the lines of /proc/cpuinfo that say what the first CPU can do.
func processor() []byte {
	text, _ := os.ReadFile("/proc/cpuinfo")
	first, _, _ := bytes.Cut(text, []byte("\n\n"))
	var said []byte
	for line := range bytes.Lines(first) {
		if bytes.HasPrefix(line, []byte("model")) || bytes.HasPrefix(line, []byte("flags")) {
			said = append(said, line...)
		}
	}
	return said
}

// keep returns the path of what create creates, which depends on key. It is made once,
// under another name at first, so that no other process finds half of it.
func (c *compiler) keep(key string, create func(path string) error) (string, error) {
	sum := sha256.Sum256(append([]byte(key), c.salt...))
	path := filepath.Join(c.folder, fmt.Sprintf("%x", sum[:12]))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	work, err := os.MkdirTemp(c.folder, "making-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	made := filepath.Join(work, "made")
	if err := create(made); err != nil {
		return "", err
	}
	if err := os.Rename(made, path); err != nil {
		if _, gone := os.Stat(path); gone != nil { // not made by another meanwhile
			return "", err
		}
	}
	return path, nil
}

// run runs clang in its headers' folder. What it says of the shaders becomes a
// *gpu.SourceError.
func (c *compiler) run(stdin string, arguments ...string) ([]byte, error) {
	cmd := exec.Command(c.path, arguments...)
	cmd.Dir = c.include
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, refused := errors.AsType[*exec.ExitError](err); refused {
		return nil, &gpu.SourceError{Log: strings.TrimSpace(stderr.String())}
	}
	return stdout.Bytes(), err
}

// preprocess returns the source with its macros expanded and without what
// metal_stdlib includes.
func (c *compiler) preprocess(source string) (*program, error) {
	text, err := c.run("# 1 \""+sourceName+"\"\n"+source,
		"-E", "-x", "c++", "-std=c++14", "-nostdinc", "-nostdinc++", "-I.", "-DEMULATOR_PREPROCESS", "-D__METAL_VERSION__=310", "-Wno-everything", "-")
	if err != nil {
		return nil, err
	}
	p, err := parse(string(text))
	if err != nil {
		return nil, err
	}
	return p, p.checkLimits()
}

// language are the flags that say what the shaders are written in.
func (c *compiler) language() []string {
	flags := []string{"-x", "c++", "-std=c++14", "-nostdinc", "-nostdinc++", "-I.", "-ffp-contract=off", "-fno-strict-aliasing",
		"-fno-lax-vector-conversions", "-fno-exceptions", "-fno-rtti", "-Xclang", "-cl-single-precision-constant",
		"-Wno-everything", "-Werror=vla-extension",
		"-Werror=c++17-extensions", "-Werror=c++20-extensions", "-Werror=c++2b-extensions"}
	if c.major >= 16 {
		// Each operation on halves rounds, as on the GPU.
		flags = append(flags, "-Xclang", "-ffloat16-excess-precision=none")
	}
	return flags
}

// build returns the path of the program that runs the shaders.
func (c *compiler) build(p *program) (string, error) {
	object := []string{"-O2", "-march=native", "-ffp-contract=off"}
	library, err := c.keep("runtime", func(path string) error {
		_, err := c.run("", append(append(object, "-std=c++17", "-r", "-nostdlib", "-o", path), units...)...)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("emulator: its runtime: %w", err)
	}
	text := p.rewrite(false) + p.glue()
	flags := append(c.language(), "-O2", "-march=native")
	return c.keep(strings.Join(flags, " ")+"\n"+text, func(path string) error {
		shaders := filepath.Join(filepath.Dir(path), "shaders.o")
		if _, err := c.run(text, append(flags, "-c", "-o", shaders, "-")...); err != nil {
			return err
		}
		if _, err := c.run("", "-o", path, shaders, library, "-lpthread", "-lm"); err != nil {
			return fmt.Errorf("emulator: link: %w", err)
		}
		return nil
	})
}

// CheckStrict compiles the shaders with address spaces as types, so that to mix
// them is an error, as it is for Metal. The error is a *gpu.SourceError where the
// source is refused.
//
// clang refuses to copy a struct out of device memory as a whole, which Metal allows:
// take a reference.
func CheckStrict(source string) error {
	c, err := newCompiler()
	if err != nil {
		return err
	}
	p, err := c.preprocess(source)
	if err != nil {
		return err
	}
	if err := p.checkSpaces(); err != nil {
		return err
	}
	dump, err := c.run(p.rewrite(true), append(c.language(), "-fsyntax-only", "-DSTRICT", "-Xclang", "-ast-dump", "-")...)
	if err != nil {
		return err
	}
	return checkCasts(dump)
}
