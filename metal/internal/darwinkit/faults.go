package darwinkit

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// fault is the error of a command buffer that Metal ended with a code of
// MTLCommandBufferError.
func fault(code int, description string) error {
	var kind error
	switch code {
	case 1, // internal
		2,  // timeout
		3,  // page fault
		9,  // invalid resource
		12: // stack overflow
		kind = gpu.ErrFault
	case 8:
		kind = gpu.ErrOutOfMemory
	case 4, // access revoked
		7,  // not permitted
		11: // device removed
		kind = gpu.ErrLost
	default:
		return fmt.Errorf("metal: a command buffer failed with code %d: %s", code, description)
	}
	return fmt.Errorf("%w: code %d: %s", kind, code, description)
}
