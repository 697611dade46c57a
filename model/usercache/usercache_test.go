package usercache

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func add(t *testing.T, path, key string, value int) {
	t.Helper()
	if err := Update(path, func(all map[string]int) { all[key] = value }); err != nil {
		t.Error(err)
	}
}

func want(t *testing.T, path string, want map[string]int) {
	t.Helper()
	if got, err := Read[int](path); err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

func TestUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "numbers.json")
	want(t, path, nil)
	add(t, path, "a", 1)
	add(t, path, "b", 2)
	add(t, path, "a", 3)
	want(t, path, map[string]int{"a": 3, "b": 2})
}

// What is no object of such values is an error that names the file, and is written
// anew.
func TestBroken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "numbers.json")
	long := `{"a": 1}` + strings.Repeat(" ", mostBytes)
	for _, text := range []string{"", "{", "[1]", `{"a": "one"}`, `{"a": 1} 2`, "\x00\xff", long} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read[int](path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%.20q: error %v", text, err)
		}
		add(t, path, "b", 2)
		want(t, path, map[string]int{"b": 2})
	}
	if err := os.WriteFile(path, []byte("null"), 0o644); err != nil {
		t.Fatal(err)
	}
	want(t, path, nil)
	add(t, path, "b", 2)
	want(t, path, map[string]int{"b": 2})
}

// What never ends, or never begins, is not read.
func TestNotRegular(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no device has a name in a folder there")
	}
	path := filepath.Join(t.TempDir(), "numbers.json")
	if err := os.Symlink("/dev/zero", path); err != nil {
		t.Fatal(err)
	}
	if _, err := Read[int](path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	add(t, path, "a", 1) // in place of the link
	want(t, path, map[string]int{"a": 1})
}

// Where nothing can be written, the error says where, and nothing is left behind.
func TestNotWritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(file, "numbers.json") // in a folder that is a file
	if err := Update(path, func(map[string]int) {}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v", err)
	}
	taken := filepath.Join(dir, "taken.json")
	if err := os.MkdirAll(filepath.Join(taken, "inside"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Update(taken, func(map[string]int) {}); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 2 {
		t.Errorf("files %q, %v", left, err)
	}
}

// Goroutines lose nothing to each other.
func TestGoroutines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "numbers.json")
	expected := map[string]int{}
	var wg sync.WaitGroup
	for i := range 32 {
		key := fmt.Sprint(i)
		expected[key] = i
		wg.Go(func() { add(t, path, key, i) })
	}
	wg.Wait()
	want(t, path, expected)
}

// Processes that write at the same time leave a whole object with what the last of
// them wrote, whatever becomes of the others', and no other files. This program is
// the processes.
func TestProcesses(t *testing.T) {
	const writes = 50
	if path := os.Getenv("USERCACHE_TEST_PATH"); path != "" {
		for i := range writes {
			add(t, path, os.Getenv("USERCACHE_TEST_KEY"), i)
		}
		return
	}
	if runtime.GOOS == "windows" {
		t.Skip("Windows refuses to replace a file that another process reads: the caller goes on without")
	}
	path := filepath.Join(t.TempDir(), "numbers.json")
	var wg sync.WaitGroup
	for i := range 4 {
		c := exec.Command(os.Args[0], "-test.run=^TestProcesses$")
		c.Env = append(os.Environ(), "USERCACHE_TEST_PATH="+path, fmt.Sprintf("USERCACHE_TEST_KEY=%d", i))
		wg.Go(func() {
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if _, err := Read[int](path); err != nil {
			t.Fatalf("read meanwhile: %v", err)
		}
	}
	all, err := Read[int](path)
	if err != nil || len(all) == 0 {
		t.Fatalf("%v, %v", all, err)
	}
	last := 0
	for _, value := range all {
		last = max(last, value)
	}
	if last != writes-1 {
		t.Errorf("%v: the last write is not there", all)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(left) != 1 {
		t.Errorf("files %q, %v", left, err)
	}
}
