// Package figure prints numbers as all reports of the bench do: with the digits
// that are asked for, and "n/a" for what was not measured, which is never 0.
package figure

import "strconv"

// NotMeasured is printed for a figure that was not measured.
const NotMeasured = "n/a"

// Shortest is the shortest decimal that reads back equal.
func Shortest(v *float64) string {
	if v == nil {
		return NotMeasured
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

// Fixed is v with that many digits after the point.
func Fixed(v *float64, digits int) string {
	if v == nil {
		return NotMeasured
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}

// WithUnit is Fixed with a unit behind the number, and none behind n/a.
func WithUnit(v *float64, digits int, unit string) string {
	if v == nil {
		return NotMeasured
	}
	return Fixed(v, digits) + unit
}

// Scaled is v times by; nil stays nil.
func Scaled(v *float64, by float64) *float64 {
	if v == nil {
		return nil
	}
	s := *v * by
	return &s
}

// OrNone is text, or n/a where there is none.
func OrNone(text string) string {
	if text == "" {
		return NotMeasured
	}
	return text
}
