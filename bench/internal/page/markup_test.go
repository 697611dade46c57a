package page

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
)

// What package markdown writes is read back whole.
func TestSections(t *testing.T) {
	var b bytes.Buffer
	p := markdown.NewPage(&b)
	p.Para("# %s", "a title")
	p.Para("_%s_", "a description")
	p.Para("**Model:** `%s`", "m")
	p.Para("## First")
	p.Block()
	p.Table([]string{"A", "B"}, [][]string{{"a | b", "1"}, {"", "2"}})
	p.Para("_how to read_it_")
	p.Para("### Part: one, two")
	p.Para("text")
	p.Para("#### Group")
	p.NarrowTable([]string{"C", "D"}, [][]string{{"3", "4"}})
	p.Para("## First")
	p.Block()
	p.Line("- x")
	p.Line("- y")
	p.AlignedTable([]string{"E", "F", "G"}, [][]string{{"e|e", "5", "g"}})
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	head, sections := Sections(b.String())
	if want := []Group{{"a title", []Block{{Text: "a description", Note: true}, {Text: "**Model:** `m`"}}}}; !reflect.DeepEqual(head, want) {
		t.Errorf("head %+v", head)
	}
	want := []Section{
		{ID: "first", Title: "First", Groups: []Group{{Blocks: []Block{
			{Titles: []string{"A", "B"}, Rows: [][]string{{"a | b", "1"}, {"", "2"}}}, {Text: "how to read_it", Note: true}}}},
			Parts: []Section{{ID: "first-part-one-two", Title: "Part: one, two", Groups: []Group{{Blocks: []Block{{Text: "text"}}},
				{"Group", []Block{{Titles: []string{"C", "D"}, Rows: [][]string{{"3", "4"}}}}}}}}},
		{ID: "first-2", Title: "First", Groups: []Group{{Blocks: []Block{{List: []string{"x", "y"}}, {Titles: []string{"E", "F", "G"}, Rows: [][]string{{"e|e", "5", "g"}}}}}}},
	}
	if !reflect.DeepEqual(sections, want) {
		t.Errorf("got\n%+v\nwant\n%+v", sections, want)
	}
}

func TestInline(t *testing.T) {
	for text, want := range map[string]string{
		"a **b & c** `d<e>` f": "a <strong>b &amp; c</strong> <code>d&lt;e&gt;</code> f",
		"<b> ** no":            "&lt;b&gt; ** no",
	} {
		if got := string(inline(text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	rows := [][]string{{"a", "1.5", "n/a", "< 68.2ms (P50)", "7"}, {"b", "-2e-3", "3 %", "2 to 3", "8", "more"}}
	if got := numbers([]string{"A", "B", "C", "D", "E"}, rows); !reflect.DeepEqual(got, []bool{false, true, true, false, true, false}) {
		t.Errorf("%v", got)
	}
}

// Nothing that is written on a page is markup, wherever it stands.
func TestPageEscapes(t *testing.T) {
	const evil = `<script>alert("x")</script>`
	var b bytes.Buffer
	p := &Page{Title: evil, Description: evil, Verdict: "**" + evil + "**", Warnings: []string{evil}, Facts: []Fact{{evil, evil, evil, evil}}, About: []string{"`" + evil + "`"}, Heading: evil,
		Table: Table{[]Cell{{evil, "to"}}, []Row{{`"><script>`, []Cell{{evil, ""}}}}}, TableNotes: []string{evil},
		Sections: []Section{{ID: "s", Title: evil, Folded: true, Groups: []Group{{evil, []Block{{Text: evil}, {List: []string{evil}}, {Titles: []string{evil}, Rows: [][]string{{evil, evil}}}}}}}},
		Files:    []File{{evil, "application/json", []byte(evil)}}, Foot: []string{evil}}
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script") || strings.Contains(b.String(), "ZgotmplZ") {
		t.Errorf("%s", b.String())
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int]string{12: "12 B", 1600: "2 kB", 2_340_000: "2.3 MB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
