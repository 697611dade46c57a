package progress

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// stage is the progress of one stage of a command.
type stage struct {
	name        string
	done, total int64 // a total of 0 is unknown
	bytes       bool
	begun       time.Time
	first       int64 // what was done when the stage began, as in a download that continues
}

// widest is the most columns that the bar itself gets.
const widest = 24

// line describes the stage in at most so many columns: the most important parts first, the
// others if there is room.
func (s *stage) line(columns int, elapsed time.Duration) string {
	count := s.count()
	name := shorten(s.name, columns-utf8.RuneCountInString(count)-1)
	text := shorten(strings.TrimLeft(name+" "+count, " "), columns)
	add := func(more string) {
		if more != "" && utf8.RuneCountInString(text)+1+utf8.RuneCountInString(more) <= columns {
			text += " " + more
		}
	}
	if s.total > 0 {
		add(fmt.Sprintf("%d%%", 100*s.done/s.total))
	}
	add(s.clock(elapsed))
	if s.bytes {
		if rate := float64(s.done-s.first) / elapsed.Seconds(); rate > 0 && elapsed > 0 {
			add(size(int64(rate)) + "/s")
		}
	}
	if room := min(columns-utf8.RuneCountInString(text)-len(" ||"), widest); s.total > 0 && room >= 5 {
		full := int(int64(room) * s.done / s.total)
		add("|" + strings.Repeat("#", full) + strings.Repeat("-", room-full) + "|")
	}
	return text
}

func (s *stage) count() string {
	switch {
	case s.bytes && s.total > 0:
		unit, name := unitOf(s.total)
		return fmt.Sprintf("%.0f/%.0f %s", float64(s.done)/unit, float64(s.total)/unit, name)
	case s.bytes:
		return size(s.done)
	case s.total > 0:
		return fmt.Sprintf("%d/%d", s.done, s.total)
	}
	return fmt.Sprint(s.done)
}

// clock returns the time so far, and the expected rest at the current rate.
func (s *stage) clock(elapsed time.Duration) string {
	text := elapsed.Truncate(time.Second).String()
	if n := s.done - s.first; s.total > 0 && n > 0 {
		left := float64(elapsed) / float64(n) * float64(s.total-s.done)
		text += ", " + time.Duration(left).Truncate(time.Second).String() + " left"
	}
	return text
}

// size formats a number of bytes for people.
func size(n int64) string {
	unit, name := unitOf(n)
	return fmt.Sprintf("%.0f %s", float64(n)/unit, name)
}

// unitOf returns the unit in which n has one to three digits before the point.
func unitOf(n int64) (unit float64, name string) {
	switch {
	case n >= 1e9:
		return 1e9, "GB"
	case n >= 1e6:
		return 1e6, "MB"
	case n >= 1e3:
		return 1e3, "kB"
	}
	return 1, "B"
}

// shorten cuts a text to so many columns, and marks the cut.
func shorten(s string, columns int) string {
	runes := []rune(s)
	switch {
	case len(runes) <= columns:
		return s
	case columns < 2:
		return ""
	}
	return string(runes[:columns-1]) + "…"
}

// most is the most lines below the stage's.
const most = 6

// flow puts fields into lines of so many columns, two spaces between them.
func flow(fields []string, columns int) (lines []string) {
	line := ""
	for _, f := range fields {
		f = shorten(f, columns)
		switch {
		case f == "":
		case line == "":
			line = f
		case utf8.RuneCountInString(line)+2+utf8.RuneCountInString(f) <= columns:
			line += "  " + f
		default:
			lines, line = append(lines, line), f
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines[:min(len(lines), most)]
}
