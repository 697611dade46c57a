package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// outFolder is where reports go by default.
const outFolder = "bench-report"

// newFolder returns the name of a folder for a report of this time that does not exist yet.
func newFolder(title string) string {
	return freshFolder(filepath.Join(outFolder, time.Now().Format("20060102-150405-")+fileName(title)))
}

// removeEmpty removes a folder in which nothing was written, and outFolder if it is empty then.
func removeEmpty(dir string) {
	if os.Remove(dir) == nil && filepath.Dir(dir) == outFolder {
		os.Remove(outFolder)
	}
}

// reportIn returns the first file of a report in the folder, or "" if there is none.
func reportIn(dir string) string {
	return firstIn(dir, recording.File, report.MarkdownFile, report.JSONFile, report.CSVFile, report.LoadCSVFile, report.HTMLFile)
}

// firstIn returns the path of the first of these names that the folder has, or "".
func firstIn(dir string, names ...string) string {
	for _, name := range names {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err == nil {
			return path
		}
	}
	return ""
}

// freshFolder returns the name of a folder that does not exist: two runs may begin in the
// same second.
func freshFolder(name string) string {
	fresh := name
	for n := 2; ; n++ {
		if _, err := os.Lstat(fresh); err != nil {
			return fresh
		}
		fresh = fmt.Sprintf("%s-%d", name, n)
	}
}

// profileable returns an error, before the run, if the file of a flag cannot be written
// after it. path may be "", which means no file.
func profileable(flag, path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usageError("--%s %s: is a folder, want a file", flag, path)
	} else if err == nil && !info.Mode().IsRegular() {
		return nil // a pipe or a device can be written
	}
	err := probe(filepath.Dir(path))
	if of := (*fs.PathError)(nil); errors.As(err, &of) {
		err = of.Err // without the name of the temporary file, which the user does not know
	}
	if err != nil {
		return fmt.Errorf("--%s %s: %w", flag, path, err)
	}
	return nil
}

// writable makes the folder, and returns an error if files cannot be created in it.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return probe(dir)
}

// probe creates a file in the folder and removes it again.
func probe(dir string) error {
	f, err := os.CreateTemp(dir, ".writable.*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// fileName converts a title to a part of a folder's name.
func fileName(title string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, title)
}
