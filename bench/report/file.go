package report

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/minilm-metal/minilm-metal/bench/internal/file"
)

// The files that Write writes.
const (
	MarkdownFile = "report.md"
	JSONFile     = "report.json"
	CSVFile      = "report.csv"
	LoadCSVFile  = "load.csv" // the points of load, where there are some
	HTMLFile     = "report.html"
)

// Write writes the report in every form into the folder dir, which it makes if it has
// to. Each file is written beside its place and moved there when it is whole: a reader
// never sees half of one.
func Write(dir string, r *Report) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	for _, f := range r.forms() {
		if err := file.Write(filepath.Join(dir, f.name), f.write); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	return nil
}

// form is one file of a report.
type form struct {
	name  string
	write func(io.Writer) error
}

// forms are all of them.
func (r *Report) forms() []form {
	forms := []form{
		{MarkdownFile, r.WriteMarkdown},
		{JSONFile, r.WriteJSON},
		{CSVFile, r.WriteCSV},
		{HTMLFile, r.WriteHTML},
	}
	if r.Load != nil {
		forms = append(forms, form{LoadCSVFile, r.Load.WriteCSV})
	}
	return forms
}
