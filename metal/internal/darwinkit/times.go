package darwinkit

import (
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// seconds converts a CFTimeInterval.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// times returns what a command buffer took that was committed, begun, ended and
// waited for at moments of one clock. Where the GPU's stamps are missing or in
// the wrong order, all the time is counted as busy.
func times(committed, start, end, returned time.Duration) gpu.Times {
	if start <= 0 || end < start {
		return gpu.Times{Busy: max(0, returned-committed)}
	}
	return gpu.Times{Wait: max(0, start-committed), Busy: end - start}
}
