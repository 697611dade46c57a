package doctor

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"
	"text/tabwriter"
	"time"
)

// Bundle is what goes into the zip file.
type Bundle struct {
	Folder  string // that all files are in
	Made    time.Time
	Intro   string // the first paragraphs of README.txt
	Results []Result
	Hide    *Scrubber
}

// Write writes the zip file.
func (b *Bundle) Write(w io.Writer) error {
	z := zip.NewWriter(w)
	add := func(name string, data []byte) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: path.Join(b.Folder, name), Method: zip.Deflate, Modified: b.Made})
		if err == nil {
			_, err = io.WriteString(f, b.Hide.Scrub(string(data)))
		}
		return err
	}
	if err := add("README.txt", []byte(b.readme())); err != nil {
		return err
	}
	for _, r := range b.Results {
		if err := add(r.Name+".txt", r.text()); err != nil {
			return err
		}
		for _, f := range r.Files {
			if err := add(path.Join(r.Name, f.Name), f.Data); err != nil {
				return err
			}
		}
	}
	return z.Close()
}

// text is a part's file: how it ended, what it is about, and what it said.
func (r *Result) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s\n%s\n\n", r.Name, r.verdict(), r.What)
	b.Write(r.Output)
	if len(r.Errors) > 0 {
		fmt.Fprintf(&b, "\n--- and to standard error ---\n%s", r.Errors)
	}
	return b.Bytes()
}

// verdict says how the part ended, after how long, and why.
func (r *Result) verdict() string {
	s := string(r.Status)
	if r.Took > 0 {
		s += fmt.Sprintf(" after %.1f s", r.Took.Seconds())
	}
	if r.Why != "" {
		s += ": " + r.Why
	}
	return s
}

// readme says what is in the file, and how each part ended.
func (b *Bundle) readme() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s\n\nMade at %s. The files:\n\n", strings.TrimSpace(b.Intro), b.Made.UTC().Format("2006-01-02 15:04 UTC"))
	t := tabwriter.NewWriter(&s, 0, 0, 2, ' ', 0)
	for _, r := range b.Results {
		fmt.Fprintf(t, "%s.txt\t%s\n", r.Name, r.What)
		for _, f := range r.Files {
			fmt.Fprintf(t, "%s/%s\tof the same part\n", r.Name, f.Name)
		}
	}
	t.Flush()
	fmt.Fprintf(&s, "\nHow each part ended:\n\n%s", Table(b.Results))
	return s.String()
}

// Table is a line for each part: how it ended, how long it took, and why it is not good.
func Table(all []Result) string {
	var s strings.Builder
	t := tabwriter.NewWriter(&s, 0, 0, 2, ' ', 0)
	for _, r := range all {
		fmt.Fprintf(t, "%s\t%s\t%.1f s\t%s\n", r.Name, r.Status, r.Took.Seconds(), r.Why)
	}
	t.Flush()
	return s.String()
}
