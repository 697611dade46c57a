package metal

import (
	"errors"
	"os"
	"sync"
	"testing"
)

// required is the environment variable that makes a machine without a GPU an error of these
// tests, where they would skip.
const required = "MINILM_METAL_REQUIRED"

// theGPU is what the machine has, looked for once.
var theGPU = sync.OnceValues(func() (gpu GPU, err error) {
	x, err := Inspect()
	if err != nil {
		return gpu, err
	}
	return x.GPU(), x.Close()
})

// needGPU skips a test, and says why, where there is no GPU that the shaders are known to run
// on. A GPU that is there and cannot be used for another reason fails it.
func needGPU(t *testing.T) {
	t.Helper()
	switch gpu, err := theGPU(); {
	case err == nil:
		t.Logf("%s, family %d, %s, %s", gpu.Name, gpu.Family, gpu.System, gpu.Language)
	case errors.Is(err, ErrUnavailable) && os.Getenv(required) == "":
		t.Skipf("%v (with %s=1 this fails)", err, required)
	default:
		t.Fatal(err)
	}
}
