package markdown

import "strings"

// escape returns a cell as it stands in a line of a table: on one line, its bars escaped.
func escape(cell string) string { return strings.ReplaceAll(OneLine(cell), "|", `\|`) }

// Cells splits a line of a table at its bars. It undoes what the writers of tables here do:
// \| is a bar within a cell. The bar at either end of the line may be missing.
func Cells(line string) []string {
	line = strings.TrimPrefix(strings.TrimSpace(line), "|")
	var out []string
	var cell strings.Builder
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line) && line[i+1] == '|':
			cell.WriteByte('|')
			i++
		case line[i] == '|':
			out = append(out, strings.TrimSpace(cell.String()))
			cell.Reset()
		default:
			cell.WriteByte(line[i])
		}
	}
	if rest := strings.TrimSpace(cell.String()); rest != "" {
		out = append(out, rest) // the last bar is missing
	}
	return out
}
