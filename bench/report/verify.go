package report

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// Mismatch is the first thing that a file tells otherwise than its recording does.
type Mismatch struct {
	File  string // its name
	Where string // the line, row, column or field
	Have  string // in the file; empty: it is not there
	Want  string // by the recording; empty: it tells no such thing
}

func (m *Mismatch) Error() string {
	switch {
	case m.Have == "":
		return fmt.Sprintf("%s: %s: is not there, and the recording says %s", m.File, m.Where, m.Want)
	case m.Want == "":
		return fmt.Sprintf("%s: %s: has %s, of which the recording says nothing", m.File, m.Where, m.Have)
	}
	return fmt.Sprintf("%s: %s: has %s, and the recording says %s", m.File, m.Where, m.Have, m.Want)
}

// Verify holds a file that [Write] wrote to the recording: everything in it is derived anew
// and compared. name says which file it is. What differs first is in the error, a *Mismatch.
// How JSON is laid out, and how lines end, makes no difference. A file of another version of
// this program, which tells more or less, is not what the recording says today.
func Verify(rec *recording.Recording, name string, data []byte) error {
	var want bytes.Buffer
	known := false
	for _, f := range Derive(rec).forms() {
		if f.name == name {
			known = true
			if err := f.write(&want); err != nil {
				return err
			}
		}
	}
	if !known {
		return fmt.Errorf("bench: %s: no file of a report", name)
	}
	have := bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if bytes.Equal(have, want.Bytes()) {
		return nil
	}
	// Where products and sums are rounded at once or apart, as one processor does and another
	// does not, a figure's last digit may be another.
	exact := rec.Environment.Arch == "" || rec.Environment.Arch == runtime.GOARCH
	switch filepath.Ext(name) {
	case ".json":
		return verifyJSON(name, have, want.Bytes(), exact)
	case ".csv":
		return verifyCSV(name, have, want.Bytes(), exact)
	}
	return verifyLines(name, string(have), want.String())
}

// VerifyFolder holds every file of a report in the folder dir, or those that are named, to
// the recording that lies there, and returns the names of those that it found to be right.
func VerifyFolder(dir string, names ...string) (right []string, err error) {
	rec, err := recording.Read(filepath.Join(dir, recording.File))
	if err != nil {
		return nil, err
	}
	all := len(names) == 0
	if all {
		for _, f := range Derive(rec).forms() {
			names = append(names, f.name)
		}
	}
	for _, name := range names {
		f, err := os.Open(filepath.Join(dir, name))
		if all && errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return right, fmt.Errorf("bench: %w", err)
		}
		data, err := file.Read(f)
		f.Close()
		if err != nil {
			return right, fmt.Errorf("bench: %s: %w", name, err)
		}
		if err := Verify(rec, name, data); err != nil {
			return right, fmt.Errorf("%s: %w", dir, err)
		}
		right = append(right, name)
	}
	if len(right) == 0 {
		return nil, fmt.Errorf("bench: %s: no report beside %s", dir, recording.File)
	}
	return right, nil
}

// verifyLines compares text line by line. Of a table's row it names the column.
func verifyLines(name, have, want string) error {
	h, w := strings.Split(have, "\n"), strings.Split(want, "\n")
	var section string
	var titles []string // of the table that the line is in
	for i := range max(len(h), len(w)) {
		at := func(more string) string { return fmt.Sprintf("line %d%s", i+1, more) }
		switch {
		case i >= len(h):
			return &Mismatch{name, at(""), "", w[i]}
		case i >= len(w):
			return &Mismatch{name, at(""), h[i], ""}
		}
		switch {
		case strings.HasPrefix(w[i], "#"):
			section = strings.TrimLeft(w[i], "# ")
		case !strings.HasPrefix(w[i], "|"):
			titles = nil
		case titles == nil:
			titles = strings.Split(w[i], " | ")
		}
		if h[i] == w[i] {
			continue
		}
		if section != "" {
			section = ", " + section
		}
		hc, wc := strings.Split(h[i], " | "), strings.Split(w[i], " | ")
		if len(hc) == len(wc) && len(wc) == len(titles) && len(wc) > 1 {
			for c := range wc {
				if hc[c] != wc[c] {
					return &Mismatch{name, at(fmt.Sprintf("%s, row %s, column %s", section, cell(wc[0]), cell(titles[c]))), cell(hc[c]), cell(wc[c])}
				}
			}
		}
		return &Mismatch{name, at(section), quote(h[i]), quote(w[i])}
	}
	return nil
}

// cell is a table's cell without what it is ruled by.
func cell(text string) string { return strings.Trim(text, "| ") }

// quote is a line for an error, which is not the empty text of what is not there.
func quote(line string) string { return fmt.Sprintf("%q", line) }
