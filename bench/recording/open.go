package recording

import "fmt"

// Open is what an open loop was, beyond its rate. Its arrivals were fixed before the run,
// by the seed and the rate alone.
type Open struct {
	Seed   uint64 `json:"seed"`
	Waited int    `json:"waited"` // batches that found all callers busy, and were made late
}

func (o *Open) validate() error {
	if o != nil && o.Waited < 0 {
		return fmt.Errorf("field \"waited\": %d, want at least 0", o.Waited)
	}
	return nil
}
