// Package figure formats numbers as all reports of the bench do: with a given number of
// digits, and as "n/a" if they were not measured. A figure that was not measured is never 0.
package figure

import "strconv"

// NotMeasured is printed for a figure that was not measured.
const NotMeasured = "n/a"

// Shortest returns the shortest decimal that reads back equal.
func Shortest(v *float64) string {
	if v == nil {
		return NotMeasured
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

// Fixed returns v with that many digits after the point.
func Fixed(v *float64, digits int) string {
	if v == nil {
		return NotMeasured
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}

// WithUnit is Fixed followed by a unit; n/a has no unit.
func WithUnit(v *float64, digits int, unit string) string {
	if v == nil {
		return NotMeasured
	}
	return Fixed(v, digits) + unit
}

// Scaled returns v times by; nil stays nil.
func Scaled(v *float64, by float64) *float64 {
	if v == nil {
		return nil
	}
	s := *v * by
	return &s
}

// OrNone returns text, or n/a if text is empty.
func OrNone(text string) string {
	if text == "" {
		return NotMeasured
	}
	return text
}
