package compare

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
)

// A section is a heading and what stands below it, up to the next heading.
type section struct {
	line   int // of the heading, from 1
	level  int // 1 for #, 2 for ##, ...
	title  string
	note   string // the first line in italics
	fields []field
	tables []table
}

// field is a bold name and what follows it: **Model:** `id`.
type field struct {
	line        int
	name, value string
}

// table is a table whose rows all have as many cells as there are titles.
type table struct {
	line   int // of the titles
	titles []string
	rows   []row
}

type row struct {
	line   int
	titles []string // the table's
	cells  []string
}

// sections cuts a document into its sections. What is neither a heading, a
// table nor a bold field is skipped: the format leaves room for prose.
func sections(document string) ([]section, error) {
	var out []section
	lines := strings.Split(document, "\n")
	for i := 0; i < len(lines); i++ {
		text := strings.TrimSpace(lines[i])
		if level := headingLevel(text); level > 0 {
			out = append(out, section{line: i + 1, level: level, title: strings.TrimSpace(text[level:])})
			continue
		}
		if len(out) == 0 {
			if text == "" {
				continue
			}
			return nil, parseError(i+1, "title", "want \"# NAME\" first")
		}
		s := &out[len(out)-1]
		switch {
		case strings.HasPrefix(text, "|"):
			t, err := readTable(lines, i)
			if err != nil {
				return nil, err
			}
			s.tables = append(s.tables, t)
			i += 1 + len(t.rows) // the rule and the rows
		case strings.HasPrefix(text, "**"):
			s.fields = append(s.fields, readFields(i+1, text)...)
		case len(text) > 2 && text[0] == '_' && text[len(text)-1] == '_' && s.note == "":
			s.note = text[1 : len(text)-1]
		}
	}
	return out, nil
}

// headingLevel is the number of # before a heading's space; 0: no heading.
func headingLevel(text string) int {
	level := len(text) - len(strings.TrimLeft(text, "#"))
	if level > 6 || !strings.HasPrefix(text[level:], " ") {
		return 0
	}
	return level
}

var rulePattern = regexp.MustCompile(`^\|(\s*:?-+:?\s*\|)+$`)

// readTable reads the table whose titles are at lines[first].
func readTable(lines []string, first int) (table, error) {
	t := table{line: first + 1, titles: markdown.Cells(lines[first])}
	if first+1 >= len(lines) || !rulePattern.MatchString(strings.TrimSpace(lines[first+1])) {
		return t, parseError(t.line, "table", "no rule |---| below the titles")
	}
	for i := first + 2; i < len(lines); i++ {
		text := strings.TrimSpace(lines[i])
		if !strings.HasPrefix(text, "|") {
			break
		}
		r := row{line: i + 1, titles: t.titles, cells: markdown.Cells(text)}
		if len(r.cells) != len(t.titles) {
			return t, parseError(r.line, "table", "%d cells, the table has %d columns", len(r.cells), len(t.titles))
		}
		t.rows = append(t.rows, r)
	}
	return t, nil
}

// readFields splits a line of bold fields; " | " stands between two of them.
func readFields(line int, text string) (out []field) {
	for part := range strings.SplitSeq(text, " | **") {
		name, value, ok := strings.Cut(strings.TrimPrefix(part, "**"), ":**")
		if ok {
			out = append(out, field{line, name, strings.Trim(strings.TrimSpace(value), "`")})
		}
	}
	return out
}

// field returns the value of the field of that name, or "".
func (s *section) field(name string) string {
	for _, f := range s.fields {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// table returns the section's first table, which must have the columns named.
func (s *section) table(columns ...string) (*table, error) {
	if len(s.tables) == 0 {
		return nil, parseError(s.line, s.title, "no table")
	}
	t := &s.tables[0]
	for _, c := range columns {
		if !slices.Contains(t.titles, c) {
			return nil, parseError(t.line, s.title, "no column %q", c)
		}
	}
	return t, nil
}

// cell returns the row's cell in the column of that title, which must be there.
func (r *row) cell(title string) string {
	if i := slices.Index(r.titles, title); i >= 0 {
		return r.cells[i]
	}
	return ""
}

// number reads the cell of that title: nil for n/a, else a decimal with an
// optional unit behind it.
func (r *row) number(title, unit string) (*float64, error) {
	return r.decimal(title, strings.TrimSuffix(r.cell(title), unit))
}

var decimalPattern = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

func (r *row) decimal(field, text string) (*float64, error) {
	text = strings.TrimSpace(text)
	if text == figure.NotMeasured || strings.HasPrefix(text, figure.NotMeasured+" ") {
		return nil, nil
	}
	// The pattern also keeps out what ParseFloat takes for numbers: NaN, Inf,
	// 0x1p-2.
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !decimalPattern.MatchString(text) {
		return nil, parseError(r.line, field, "%q is not a number", text)
	}
	return &v, nil
}

// maxCount is above anything that a report counts, and its sums stay exact.
const maxCount = 1 << 50

// count reads a whole number from least up.
func (r *row) count(title string, least int) (int, error) {
	n, err := strconv.Atoi(r.cell(title))
	if err != nil || n < least || int64(n) > maxCount {
		return 0, parseError(r.line, title, "%q is not a whole number from %d up", r.cell(title), least)
	}
	return n, nil
}

func parseError(line int, field, format string, args ...any) error {
	return fmt.Errorf("%w: line %d: %s: %s", ErrParse, line, field, fmt.Sprintf(format, args...))
}
