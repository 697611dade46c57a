package figure

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// Figures beyond these were not measured by anybody, and what is derived from them, a ratio
// or a square, may be no number any more.
const (
	Smallest = 1e-100 // but for 0
	Largest  = 1e100
)

// Check returns an error that names the first number with a fraction, anywhere in the value
// that v points to, that nobody can have measured: not a number, infinite, or far beyond
// anything.
func Check(v any) error {
	c := &checker{fractions: map[reflect.Type]bool{}}
	if c.right(reflect.ValueOf(v).Elem()) {
		return nil
	}
	return fmt.Errorf("field %q: %v, want 0 or a size from %v to %v", strings.TrimPrefix(c.path, "."), c.bad, Smallest, float64(Largest))
}

// checker remembers which types have such numbers in them: most lists of a recording do not.
type checker struct {
	fractions map[reflect.Type]bool
	bad       float64
	path      string // of bad, from the outside in as far as that is known yet
}

func (c *checker) has(t reflect.Type) bool {
	if known, ok := c.fractions[t]; ok {
		return known
	}
	c.fractions[t] = false // until it is known, for a type that has itself in it
	has := false
	switch t.Kind() {
	case reflect.Float64:
		has = true
	case reflect.Pointer, reflect.Slice:
		has = c.has(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			has = t.Field(i).IsExported() && c.has(t.Field(i).Type) || has
		}
	}
	c.fractions[t] = has
	return has
}

func (c *checker) right(v reflect.Value) bool {
	if !c.has(v.Type()) {
		return true
	}
	switch v.Kind() {
	case reflect.Float64:
		// NaN is neither above one nor below the other.
		x := math.Abs(v.Float())
		c.bad = v.Float()
		return x == 0 || x >= Smallest && x <= Largest
	case reflect.Pointer:
		return v.IsNil() || c.right(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			if !c.right(v.Index(i)) {
				c.path = fmt.Sprintf("[%d]%s", i, c.path)
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !c.right(v.Field(i)) {
				if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" { // else it is embedded
					c.path = "." + name + c.path
				}
				return false
			}
		}
	}
	return true
}
