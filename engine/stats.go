package engine

import "time"

// CallStats says what one call cost. The call's latency is Admit + Queue + Tokenize -
// Overlapped + Infer + Deliver, plus the time that calling and returning takes.
type CallStats struct {
	Pairs    int           `json:"pairs"`
	Tokens   int           `json:"tokens"`
	Padded   int           `json:"padded"`      // tokens if every pair were padded to the longest one; Padded - Tokens is what packing saved
	FLOPs    int64         `json:"flops"`       // see model.Config.FLOPs
	Passes   int           `json:"passes"`      // passes that had pairs of the call
	Admit    time.Duration `json:"admit_ns"`    // from the call to its place in the queue; 0 for a stream
	Queue    time.Duration `json:"queue_ns"`    // waiting for the first pass
	Tokenize time.Duration `json:"tokenize_ns"` // tokenizing, summed over passes
	// Overlapped is the part of Tokenize that did not lengthen the call: another pass of the
	// call computed or was tokenized at the same time.
	Overlapped time.Duration `json:"overlapped_ns"`
	Infer      time.Duration `json:"infer_ns"` // from when the first pass began to compute until the last ended
	// Pack is the beginning of Infer, in which the first pass waits for a worker of the device
	// and is laid out for it.
	Pack    time.Duration `json:"pack_ns"`
	Deliver time.Duration `json:"deliver_ns"`  // from when the last pass ended until the call returns; in Stats.Total, until its caller woke up
	GPU     time.Duration `json:"gpu_ns"`      // the GPU's computing time by its own clock, summed over passes
	GPUWait time.Duration `json:"gpu_wait_ns"` // waiting for the GPU after passes were given to it, summed over passes
}

// PassStats says what one pass contained and what it cost.
type PassStats struct {
	Calls    int           `json:"calls"` // calls that had pairs in it
	Pairs    int           `json:"pairs"`
	Tokens   int           `json:"tokens"`
	Padded   int           `json:"padded"` // as in CallStats
	FLOPs    int64         `json:"flops"`
	Waiting  int           `json:"waiting"` // pairs still in the queue when it began
	Urgent   bool          `json:"urgent"`  // it ran before passes that were already under way
	Tokenize time.Duration `json:"tokenize_ns"`
	Infer    time.Duration `json:"infer_ns"`
	GPU      time.Duration `json:"gpu_ns"`
	GPUWait  time.Duration `json:"gpu_wait_ns"`
}

// Stats counts what an engine has done since it was opened, and what waits now. It can be
// published by expvar: expvar.Publish("engine", expvar.Func(func() any { return eng.Stats()
// })).
type Stats struct {
	Calls     int64 `json:"calls"`     // ended, with or without an error
	Failed    int64 `json:"failed"`    // of Calls, ended with an error
	Refused   int64 `json:"refused"`   // of Failed, with ErrOverloaded
	Cancelled int64 `json:"cancelled"` // of Failed, because their context was over
	Passes    int64 `json:"passes"`
	Pairs     int64 `json:"pairs"`         // computed so far, also for calls that failed; those of a call before it returns
	Tokens    int64 `json:"tokens"`        // in Pairs
	Shared    int64 `json:"shared_passes"` // passes with pairs of several calls
	Urgent    int64 `json:"urgent_passes"`

	// The state now.
	WaitingCalls int `json:"waiting_calls"` // calls with pairs in no pass yet
	WaitingPairs int `json:"waiting_pairs"`
	Running      int `json:"running"` // passes under way

	// Total is the sum over all calls that got their scores and all streams that were left
	// early. LongestQueue is the longest time that one of them waited for its first pass.
	Total        CallStats     `json:"total"`
	LongestQueue time.Duration `json:"longest_queue_ns"`
}

// add adds t to s, as the stats of both calls together.
func (s *CallStats) add(t CallStats) {
	s.Pairs += t.Pairs
	s.Tokens += t.Tokens
	s.Padded += t.Padded
	s.FLOPs += t.FLOPs
	s.Passes += t.Passes
	s.Admit += t.Admit
	s.Queue += t.Queue
	s.Tokenize += t.Tokenize
	s.Overlapped += t.Overlapped
	s.Infer += t.Infer
	s.Pack += t.Pack
	s.Deliver += t.Deliver
	s.GPU += t.GPU
	s.GPUWait += t.GPUWait
}
