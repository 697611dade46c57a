package recording

import "time"

// SchemaVersion is raised when a field of Recording or of report.json changes
// its meaning or goes away.
const SchemaVersion = 1

// Revision is raised when what a reader may conclude from a recording grows: reports of
// older ones say no more than they did. With 1 the arrivals of open loops are fixed before
// the run, and the beginning and the end of a run are the load's own.
const Revision = 1

// Recording is everything one run measured, as written to recording.json. The
// reports are pure functions of it. Durations are integers in nanoseconds.
// A nil pointer is a figure that could not be measured: "n/a", never 0.
type Recording struct {
	Schema      int         `json:"schema"`
	Revision    int         `json:"revision,omitempty"` // see the constant; 0: from before there was one
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Started     time.Time   `json:"started"`
	Model       Model       `json:"model"`
	Backend     string      `json:"backend"`   // "minilm-metal"
	Device      string      `json:"device"`    // "cpu", "metal"
	Precision   string      `json:"precision"` // "f32", ...
	Environment Environment `json:"environment"`
	Dataset     Dataset     `json:"dataset"`
	ColdStart   ColdStart   `json:"cold_start"`
	Accuracy    *Accuracy   `json:"accuracy"`
	Peak        *float64    `json:"peak_flops"` // the device's measured peak, FLOP/s, all workers
	Runs        []Run       `json:"runs"`       // one per configuration
	Mix         *Mix        `json:"mix,omitempty"`
	Overload    *Overload   `json:"overload,omitempty"`
	Load        *Load       `json:"load,omitempty"`
	Variants    []Variant   `json:"variants,omitempty"` // of a sweep of precisions
	Notes       []string    `json:"notes"`              // what the reader must know: synthetic weights, time bound reached
}

// Model says which weights were measured.
type Model struct {
	ID              string `json:"id"` // as the user named it
	Synthetic       bool   `json:"synthetic"`
	Layers          int    `json:"layers"`
	Hidden          int    `json:"hidden"`
	Parameters      int64  `json:"parameters"`
	WeightsSHA256   string `json:"weights_sha256"`
	TokenizerSHA256 string `json:"tokenizer_sha256"`
}

// Environment is the machine and the program, as found before the run.
type Environment struct {
	CPU         string   `json:"cpu"`
	CPUFeatures []string `json:"cpu_features"`
	GPU         string   `json:"gpu"` // empty: none
	Cores       int      `json:"cores"`
	MemoryBytes uint64   `json:"memory_bytes"`
	OS          string   `json:"os"`
	Arch        string   `json:"arch"`
	Go          string   `json:"go"`
	GOMAXPROCS  int      `json:"gomaxprocs"`
	Workers     int      `json:"workers"`
	// InstructionSet is what the processor's kernels are made of; empty: the device is
	// another, or the recording an old one.
	InstructionSet string   `json:"instruction_set,omitempty"`
	Commit         string   `json:"commit"`
	Dirty          bool     `json:"dirty"`
	Args           []string `json:"args"`
	Load1          *float64 `json:"load1"` // load average over 1 minute, before the run
	// Noise is the spread (max-min)/min of a fixed piece of arithmetic, timed
	// repeatedly before the run: what the machine adds by itself.
	Noise *float64 `json:"noise"`
}

// Noisy is a noise of the machine that hides differences worth measuring.
const Noisy = 0.25

// Dataset says what text was scored.
type Dataset struct {
	Name      string         `json:"name"`
	SHA256    string         `json:"sha256"`
	Pairs     int            `json:"pairs"`
	Tokens    int            `json:"tokens"`
	Histogram []LengthBucket `json:"histogram"` // of pair lengths
}

// LengthBucket counts the pairs with Min <= tokens < Min+Width.
type LengthBucket struct {
	Min   int `json:"min"`
	Width int `json:"width"`
	Pairs int `json:"pairs"`
}

// ColdStart is kept apart from the steady state.
type ColdStart struct {
	Load       time.Duration `json:"load_ns"`        // opening the model
	FirstScore time.Duration `json:"first_score_ns"` // the first pair, after Load
}

// Accuracy compares the device's logits with the float64 reference on a
// sample of the run's own pairs. An error is ours less the reference's; what
// swaps the order of two pairs is the part of it that is not the same for both.
type Accuracy struct {
	Pairs         int      `json:"pairs"`
	MaxError      float64  `json:"max_error"`       // of the logits
	MeanError     float64  `json:"mean_error"`      // mean |error|
	Offset        *float64 `json:"offset"`          // mean error, with its sign: what all pairs have in common
	CentredError  *float64 `json:"centred_error"`   // mean |error - Offset|
	LogitSD       float64  `json:"logit_sd"`        // standard deviation of the reference's logits
	KendallTau    float64  `json:"kendall_tau"`     // tau-b
	FlippedOrders *float64 `json:"flipped_orders"`  // share of all pairs of pairs that are in opposite order
	TopK          int      `json:"top_k"`           // k of TopKAgreement
	TopKAgreement float64  `json:"top_k_agreement"` // share of the reference's top k found in ours
	Tolerances
	Passed bool `json:"passed"`
}

// Tolerances is how large the errors may be at a precision, each a share of the
// logits' standard deviation; 0: not told.
type Tolerances struct {
	Tolerance        float64 `json:"tolerance"`         // of MeanError
	CentredTolerance float64 `json:"centred_tolerance"` // of CentredError
	OffsetTolerance  float64 `json:"offset_tolerance"`  // of |Offset|
}

// Run is one configuration, measured.
type Run struct {
	Batch       int           `json:"batch"`
	Concurrency int           `json:"concurrency"`
	Loop        string        `json:"loop"`                // "closed", or "open" (Poisson arrivals)
	Rate        float64       `json:"rate"`                // open loop: offered pairs/s
	Requested   int           `json:"requested"`           // pairs asked for
	Warmup      Warmup        `json:"warmup"`              //
	Elapsed     time.Duration `json:"elapsed_ns"`          // first start to last end
	Batches     []BatchSample `json:"batches"`             // in order of completion
	Samples     []Sample      `json:"samples"`             // one each half second
	TimeBound   bool          `json:"time_bounded"`        // stopped by the time bound before Requested
	Kernels     []Kernel      `json:"kernels"`             // null: not asked for
	Stages      *Stages       `json:"stages"`              // null: not asked for, or no time for it
	Precision   string        `json:"precision,omitempty"` // where precisions are swept
	Length      int           `json:"length,omitempty"`    // tokens of each pair, where lengths are swept
	Open        *Open         `json:"open,omitempty"`      // nil: a closed loop, or a recording from before it
}

// Stages is what the kernels cost in batches that were scored for that alone,
// after the measurement, by one caller: each once as it was, and once with its
// kernels timed.
type Stages struct {
	Batches  int           `json:"batches"` // scored twice, each
	Pairs    int           `json:"pairs"`   // in them, each counted once
	Tokens   int           `json:"tokens"`
	Fused    time.Duration `json:"fused_infer_ns"`         // their inference, without timing
	Timed    time.Duration `json:"timed_infer_ns"`         // their inference, with it
	FusedGPU time.Duration `json:"fused_gpu_ns,omitempty"` // of both, what the GPU computed by its own clock
	TimedGPU time.Duration `json:"timed_gpu_ns,omitempty"`
	Kernels  []Kernel      `json:"kernels"` // in the timed ones
}

// Kernel is what one kernel of one layer cost in all of a run or of its stages, as
// in model.KernelTime.
type Kernel struct {
	Layer  int           `json:"layer"` // from 0; -1: outside the layers
	Block  string        `json:"block"` // "": no kernel, but the rest of the time inside passes
	Kernel string        `json:"kernel"`
	Shape  string        `json:"shape"`
	Calls  int64         `json:"calls"`
	Time   time.Duration `json:"time_ns"` // of the workers, summed
	FLOPs  int64         `json:"flops"`
	Bytes  int64         `json:"bytes"`
}

// Warmup says what ran before the measurement.
type Warmup struct {
	Batches int           `json:"batches"`
	Time    time.Duration `json:"time_ns"`
	Stable  bool          `json:"stable"` // the last few batches agreed within a few per cent
}

// BatchSample is one batch of one run.
type BatchSample struct {
	Start    time.Duration `json:"start_ns"`    // since the run's start; open loop: the intended start
	Latency  time.Duration `json:"latency_ns"`  // Start to scores
	Tokenize time.Duration `json:"tokenize_ns"` //
	// Overlapped is the part of Tokenize that went on while the batch was in inference too:
	// Queue + Tokenize - Overlapped + Infer is Latency, but for handing the scores over.
	// Recordings from before it are of engines that did no such thing: 0 is true of them.
	Overlapped time.Duration `json:"overlapped_ns,omitempty"`
	Queue      time.Duration `json:"queue_ns"` // waiting for a worker
	// Late is the part of Queue before the call was made: in an open loop, how long after
	// Start the client came to it.
	Late     time.Duration `json:"late_ns,omitempty"`
	Infer    time.Duration `json:"infer_ns"`         //
	GPU      time.Duration `json:"gpu_ns,omitempty"` // of Infer, by a GPU's own clock; 0: there is none
	Pairs    int           `json:"pairs"`
	Tokens   int           `json:"tokens"`
	Padded   int           `json:"padded"`             // tokens if every pair were padded to the batch's longest
	Computed int           `json:"computed"`           // tokens the kernels ran over, any padding of their own included; 0: not told
	FLOPs    int64         `json:"flops"`              // multiply and add counted apart
	Handling *Handling     `json:"handling,omitempty"` // nil: not told, as in recordings from before it
}

// Sample is what the machine showed over one half second.
type Sample struct {
	At        time.Duration `json:"at_ns"`
	GPUMemory *float64      `json:"gpu_memory_mb"`
	GPUBusy   *float64      `json:"gpu_busy_percent"`
	CPU       *float64      `json:"cpu_percent"` // of all cores together: 100 is all of them busy
	RSS       *float64      `json:"rss_mb"`
}
