// Package memorytest measures, on Linux, the most memory that some work takes. It has the
// work done in a process of its own: the test's program, started again for the same test.
package memorytest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Peak starts the test called test in a process of its own, with an environment variable
// that tells it to do the work and call Report. It returns what the process printed before
// that, and the most memory that it had, in bytes. Under the race detector it skips the test.
func Peak(t *testing.T, test, variable, value string) (message string, peak int64) {
	t.Helper()
	if RaceDetector {
		t.Skip("the race detector has memory of its own")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), variable+"="+value, "GOMAXPROCS=2") // each thread has caches of its own for what it allocates
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.3000s", err, out)
	}
	message, status, _ := strings.Cut(string(out), "VmHWM:")
	if _, err := fmt.Sscanf(status, "%d kB", &peak); err != nil {
		t.Fatalf("%v in %.3000s", err, out)
	}
	peak <<= 10
	t.Logf("peak %d MB, %v of processor time", peak>>20, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	return message, peak
}

// Report prints the error of the work, and the most memory that this process has had. The
// number is the kernel's VmHWM: getrusage's maximum would include the parent's.
func Report(t *testing.T, err error) {
	t.Helper()
	fmt.Println("error:", err)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Println("VmHWM:", strings.Split(peak, "\n")[0])
}
