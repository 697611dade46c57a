// Package figure formats numbers as all reports of the bench do: with a given number of
// digits, and as "n/a" if they were not measured. A figure that was not measured is never 0.
package figure

import (
	"math"
	"strconv"
	"strings"
)

// NotMeasured is printed for a figure that was not measured.
const NotMeasured = "n/a"

// none says whether there is nothing to print: what is divided by 0 was not measured either.
func none(v *float64) bool { return v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) }

// Shortest returns the shortest decimal that reads back equal.
func Shortest(v *float64) string {
	if none(v) {
		return NotMeasured
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

// Fixed returns v with that many digits after the point.
func Fixed(v *float64, digits int) string {
	if none(v) {
		return NotMeasured
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}

// WithUnit is Fixed followed by a unit; n/a has no unit.
func WithUnit(v *float64, digits int, unit string) string {
	if none(v) {
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

// Count is a number of things, of which there may be one: "1 round", "2 rounds", "2 batches".
func Count(n int, thing string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(thing, "ch"):
		thing += "es"
	default:
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}
