package markdown

import (
	"strings"
	"unicode/utf8"
)

// AlignedTable pads the cells of each column to one width; all but the first
// and the last are right-aligned, as numbers are.
func (p *Page) AlignedTable(titles []string, rows [][]string) {
	titles, rows = p.inWords(titles, rows)
	widths := make([]int, len(titles))
	for _, row := range append([][]string{titles}, rows...) {
		for i, cell := range row {
			row[i] = escape(cell)
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]), 3)
		}
	}
	write := func(row []string) {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 && i < len(row)-1 {
				p.w.WriteString("| " + pad + cell + " ")
			} else {
				p.w.WriteString("| " + cell + pad + " ")
			}
		}
		p.w.WriteString("|\n")
	}
	write(titles)
	for i, width := range widths {
		if i > 0 && i < len(widths)-1 {
			p.w.WriteString("|" + strings.Repeat("-", width+1) + ":")
		} else {
			p.w.WriteString("|" + strings.Repeat("-", width+2))
		}
	}
	p.w.WriteString("|\n")
	for _, row := range rows {
		write(row)
	}
}
