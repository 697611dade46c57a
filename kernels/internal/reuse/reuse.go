// Package reuse keeps memory from one use to the next, so that kernels and passes allocate
// nothing once they have seen their largest batch.
package reuse

// Slice returns a slice of length n: s's memory if that is large enough, else new memory
// with an eighth to spare, since the next n may be a little larger. The elements are
// whatever was there.
func Slice[T any](s []T, n int) []T {
	if cap(s) < n {
		s = make([]T, n, n+n/8)
	}
	return s[:n]
}
