package serve

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/memorytest"
)

// flatRequests tells a process of TestMemoryIsFlat how many requests it is to answer.
const flatRequests = "MINILM_TEST_SERVE_REQUESTS"

// Ten times as many requests take no more memory and leave no goroutine, of those that are
// answered as of those that are refused.
func TestMemoryIsFlat(t *testing.T) {
	if n, err := strconv.Atoi(os.Getenv(flatRequests)); err == nil {
		memorytest.Report(t, many(t, n))
		return
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("the system does not tell how much memory a process has had")
	}
	if testing.Short() {
		t.Skip("thousands of requests take their time")
	}
	of := func(requests int) int64 {
		message, peak := memorytest.Peak(t, "TestMemoryIsFlat", flatRequests, strconv.Itoa(requests))
		if message != "error: <nil>\n" {
			t.Fatal(message)
		}
		return peak
	}
	few, more := of(2_000), of(20_000)
	if more > few+16<<20 {
		t.Errorf("2,000 requests took %d MB, and 20,000 took %d", few>>20, more>>20)
	}
}

// many has a handler answer requests of all kinds, four at a time.
func many(t *testing.T, requests int) error {
	h, _ := open(t, scoring, MaxItems(40), Keys("key"))
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
	do(1)
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for worker := range 4 {
		wg.Go(func() {
			for i := worker; i < requests; i += 4 {
				status := do(i)
				mu.Lock()
				statuses[status]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	until(func() bool { return runtime.NumGoroutine() <= before })
	if statuses[200] < requests/4 || statuses[401] == 0 || statuses[404] == 0 || statuses[422] == 0 || len(statuses) != 5 {
		return fmt.Errorf("statuses %v", statuses)
	}
	return nil
}

func texts(n int) string {
	all := []byte(`"a river"`)
	for range n - 1 {
		all = append(all, `,"a river"`...)
	}
	return string(all)
}
