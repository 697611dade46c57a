package page

import (
	"encoding/base64"
	"html"
	"html/template"
	"regexp"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
)

// Section is a chapter of a markdown report.
type Section struct {
	ID     string
	Title  string
	Folded bool // shown when it is asked for
	Groups []Group
	Parts  []Section
}

// Rows is how many rows the tables of the section have.
func (s *Section) Rows() (n int) {
	for _, g := range s.Groups {
		for _, b := range g.Blocks {
			n += len(b.Rows)
		}
	}
	for i := range s.Parts {
		n += s.Parts[i].Rows()
	}
	return n
}

// Group is blocks that belong together: those below one heading of the lowest level.
type Group struct {
	Heading string // "": none
	Blocks  []Block
}

// Block is a paragraph, a list or a table; one of them is not empty.
type Block struct {
	Text   string
	Note   bool // the text says how to read what is above it
	List   []string
	Titles []string
	Rows   [][]string
}

// Sections reads what package markdown writes, and no other markdown: headings, paragraphs of
// one line, tables and lists. What is before the first heading of the second level is
// returned apart, its title being the first group's heading.
func Sections(text string) (head []Group, list []Section) {
	ids := map[string]int{}
	id := func(title string) string {
		slug := ID(title)
		if ids[slug]++; ids[slug] > 1 {
			slug += "-" + strconv.Itoa(ids[slug])
		}
		return slug
	}
	groups := &head
	add := func(b Block) {
		if len(*groups) == 0 {
			*groups = append(*groups, Group{})
		}
		last := &(*groups)[len(*groups)-1]
		last.Blocks = append(last.Blocks, b)
	}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case line == "":
		case strings.HasPrefix(line, "## "):
			list = append(list, Section{ID: id(line[3:]), Title: line[3:]})
			groups = &list[len(list)-1].Groups
		case strings.HasPrefix(line, "### ") && len(list) > 0:
			s := &list[len(list)-1]
			s.Parts = append(s.Parts, Section{ID: id(s.Title + " " + line[4:]), Title: line[4:]})
			groups = &s.Parts[len(s.Parts)-1].Groups
		case strings.HasPrefix(line, "#"):
			*groups = append(*groups, Group{Heading: strings.TrimLeft(line, "# ")})
		case strings.HasPrefix(line, "| ") && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|--"):
			b := Block{Titles: markdown.Cells(line)}
			for i += 2; i < len(lines) && strings.HasPrefix(lines[i], "|"); i++ {
				b.Rows = append(b.Rows, markdown.Cells(lines[i]))
			}
			i--
			add(b)
		case strings.HasPrefix(line, "- "):
			var b Block
			for ; i < len(lines) && strings.HasPrefix(lines[i], "- "); i++ {
				b.List = append(b.List, lines[i][2:])
			}
			i--
			add(b)
		case len(line) > 2 && line[0] == '_' && line[len(line)-1] == '_':
			add(Block{Text: line[1 : len(line)-1], Note: true})
		default:
			add(Block{Text: line})
		}
	}
	return head, list
}

// ID is the id of the section with that title, if it is the first.
func ID(title string) string {
	return strings.Trim(notInID.ReplaceAllString(strings.ToLower(title), "-"), "-")
}

var notInID = regexp.MustCompile(`[^a-z0-9]+`)

var spans = regexp.MustCompile("\\*\\*([^*]+)\\*\\*|`([^`]+)`")

// inline is a line with what is bold or code in it. All else is text.
func inline(s string) template.HTML {
	var b strings.Builder
	at := 0
	for _, m := range spans.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(html.EscapeString(s[at:m[0]]))
		if m[2] >= 0 {
			b.WriteString("<strong>" + html.EscapeString(s[m[2]:m[3]]) + "</strong>")
		} else {
			b.WriteString("<code>" + html.EscapeString(s[m[4]:m[5]]) + "</code>")
		}
		at = m[1]
	}
	b.WriteString(html.EscapeString(s[at:]))
	return template.HTML(b.String())
}

var number = regexp.MustCompile(`^([<>]=? ?)?[+-]?[0-9][0-9.,]*(e[+-]?[0-9]+)?( ?(%|ms|s|p/s|x))?$|^n/a`)

// numbers says of each column of a table whether it has numbers, which stand at its right: in
// four rows of five, for there may be words among them.
func numbers(titles []string, rows [][]string) []bool {
	counts := make([]int, len(titles))
	for _, row := range rows {
		for i, cell := range row[:min(len(row), len(titles))] {
			if number.MatchString(cell) {
				counts[i]++
			}
		}
	}
	are := make([]bool, max(len(titles), widest(rows)))
	for i, n := range counts {
		are[i] = 5*n >= 4*len(rows)
	}
	return are
}

// widest is the most cells of a row: somebody else's may have more than titles.
func widest(rows [][]string) (n int) {
	for _, row := range rows {
		n = max(n, len(row))
	}
	return n
}

func base64Of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
