//go:build !((darwin && cgo) || fakemetal)

package darwinkit

import (
	"errors"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

func TestStub(t *testing.T) {
	_, err := Open("", true)
	if !errors.Is(err, gpu.ErrUnavailable) || !strings.Contains(err.Error(), "Metal is") && !strings.Contains(err.Error(), "cgo") {
		t.Errorf("%v, want ErrUnavailable and why", err)
	}
}
