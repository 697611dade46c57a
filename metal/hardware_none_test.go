//go:build !((darwin && cgo) || fakemetal)

package metal

import "testing"

// Without Metal in the build, the tests of the GPU are not silent either.
func TestConformanceOnGPU(t *testing.T) {
	needGPU(t)
	t.Error("there is a GPU, and this build has no tests of it")
}
