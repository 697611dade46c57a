//go:build !((darwin && cgo) || fakemetal)

package darwinkit

import (
	"fmt"
	"runtime"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// Open returns an error that says why this build has no Metal.
func Open(source string, anyFamily bool) (gpu.Driver, error) {
	if runtime.GOOS == "darwin" {
		return nil, fmt.Errorf("%w: this build has no Metal: it was made without cgo", gpu.ErrUnavailable)
	}
	return nil, fmt.Errorf("%w: Metal is there on macOS alone, this is %s", gpu.ErrUnavailable, runtime.GOOS)
}
