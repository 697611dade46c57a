package serve

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// Ten times as many requests leave nothing in memory and no goroutine, those that are answered and
// those that are refused. How much the process has had would tell of the garbage collector's pace, too.
func TestMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of requests take their time")
	}
	h, _ := open(t, scoring, MaxItems(40), Keys("key"))
	many(t, h, 0, 2_000)
	before := inUse()
	many(t, h, 2_000, 20_000)
	if after := inUse(); after > before+512<<10 { // 28 bytes a request
		t.Errorf("in use after 2,000 requests: %d KB, after 20,000: %d", before>>10, after>>10)
	}
}

// inUse is how many bytes are in use once the garbage is gone.
func inUse() uint64 {
	runtime.GC()
	runtime.GC() // what a sync.Pool holds is dropped by the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// many has a handler answer requests of all kinds, of which each has a number, four at a time.
func many(t *testing.T, h *Handler, from, to int) {
	t.Helper()
	bodies := []string{teiBody, `{"query": "a", "texts": [` + texts(32) + `]}`, `{"query": "a", "texts": [` + texts(41) + `]}`, `not JSON`, `{"query": "a"}`}
	do := func(i int) int {
		key := "key"
		if i%7 == 0 {
			key = fmt.Sprint("wrong", i)
		}
		path := "/rerank"
		if i%11 == 0 {
			path = fmt.Sprint("/nowhere/", i) // no metric and nothing else may be kept of it
		}
		return asks(h, path, bodies[i%len(bodies)], "Authorization", key).Code
	}
	do(from + 1)
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for worker := range 4 {
		wg.Go(func() {
			for i := from + worker; i < to; i += 4 {
				status := do(i)
				mu.Lock()
				statuses[status]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	until(func() bool { return runtime.NumGoroutine() <= before })
	if statuses[200] < (to-from)/4 || statuses[401] == 0 || statuses[404] == 0 || statuses[422] == 0 || len(statuses) != 5 {
		t.Errorf("statuses %v", statuses)
	}
}

func texts(n int) string {
	all := []byte(`"a river"`)
	for range n - 1 {
		all = append(all, `,"a river"`...)
	}
	return string(all)
}
