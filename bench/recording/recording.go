package recording

import "time"

// SchemaVersion is raised when a field of Recording or of report.json changes its meaning
// or disappears.
const SchemaVersion = 1

// Revision is raised when what a reader may conclude from a recording grows: reports of
// older ones say no more than they did. With 1 the arrivals of open loops are fixed before
// the run, and the beginning and the end of a run are the load's own.
const Revision = 1

// Recording is everything one run measured, as written to recording.json. The
// reports are pure functions of it. Durations are integers in nanoseconds.
// A nil pointer is a figure that could not be measured: "n/a", never 0.
type Recording struct {
	Schema      int       `json:"schema"`
	Revision    int       `json:"revision,omitempty"` // see the constant; 0: from before there was one
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Started     time.Time `json:"started"`
	Model       Model     `json:"model"`
	// Task is what the engine does: TaskEmbed embeds texts, and then whatever is named after
	// pairs here, in the reports and in their figures is of texts; empty: it scores pairs.
	Task        string      `json:"task,omitempty"`
	Backend     string      `json:"backend"`   // "minilm-metal"
	Device      string      `json:"device"`    // "cpu", "metal"
	Precision   string      `json:"precision"` // "f32", ...
	Environment Environment `json:"environment"`
	Dataset     Dataset     `json:"dataset"`
	ColdStart   ColdStart   `json:"cold_start"`
	Accuracy    *Accuracy   `json:"accuracy"`
	Judged      *Judged     `json:"judged,omitempty"` // nil: no pairs were given for it
	Peak        *float64    `json:"peak_flops"`       // measured peak of the device, FLOP/s, all workers
	Runs        []Run       `json:"runs"`             // one per configuration
	Mix         *Mix        `json:"mix,omitempty"`
	Overload    *Overload   `json:"overload,omitempty"`
	Load        *Load       `json:"load,omitempty"`
	Ablation    *Ablation   `json:"ablation,omitempty"`
	Server      *Server     `json:"server,omitempty"`    // nil: an engine in this process
	Variants    []Variant   `json:"variants,omitempty"`  // of a sweep of precisions
	CutShort    bool        `json:"cut_short,omitempty"` // interrupted: what is here was measured until then
	Notes       []string    `json:"notes"`               // what the reader must know: synthetic weights, time bound reached
}

// TaskEmbed is the Task of a run that embeds texts.
const TaskEmbed = "embed"

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
	// InstructionSet is that of the processor's kernels; empty on other devices and in old
	// recordings.
	InstructionSet string   `json:"instruction_set,omitempty"`
	Commit         string   `json:"commit"`
	Dirty          bool     `json:"dirty"`
	Args           []string `json:"args"`
	Load1          *float64 `json:"load1"` // load average over 1 minute, before the run
	// Noise is the relative spread, (max-min)/min, of the times of a fixed piece of
	// arithmetic before the run: what the machine adds by itself.
	Noise *float64 `json:"noise"`
}

// Noisy is a noise that hides differences worth measuring.
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

// ColdStart is what the first start took. It is not part of the steady state.
type ColdStart struct {
	Load       time.Duration `json:"load_ns"`        // opening the model
	FirstScore time.Duration `json:"first_score_ns"` // the first pair, after Load
}

// Accuracy compares the device's logits with the float64 reference, on a sample of the
// run's own pairs. An error is our logit minus the reference's. The order of two pairs can
// only be reversed by the part of the error that is not the same for both.
//
// Embeddings are compared in the same fields: the logits are the cosines between the texts of
// the sample, the orders those of each text's neighbours, and TopKAgreement is of a text's
// nearest TopK, the mean over the texts. How far the embeddings themselves are is in Embeddings.
type Accuracy struct {
	Pairs         int      `json:"pairs"`
	MaxError      float64  `json:"max_error"`       // of the logits
	MeanError     float64  `json:"mean_error"`      // mean |error|
	Offset        *float64 `json:"offset"`          // mean error, with its sign: the part that is the same for all pairs
	CentredError  *float64 `json:"centred_error"`   // mean |error - Offset|
	LogitSD       float64  `json:"logit_sd"`        // standard deviation of the reference's logits
	KendallTau    float64  `json:"kendall_tau"`     // tau-b
	FlippedOrders *float64 `json:"flipped_orders"`  // share of all pairs of pairs whose order is reversed
	TopK          int      `json:"top_k"`           // k of TopKAgreement
	TopKAgreement float64  `json:"top_k_agreement"` // share of the reference's top k found in ours
	Tolerances
	Embeddings *Embeddings `json:"embeddings,omitempty"` // nil: scores were compared
	Passed     bool        `json:"passed"`
}

// Tolerances are the limits of the errors at a precision, as shares of the logits' standard
// deviation; 0 if not known.
type Tolerances struct {
	Tolerance        float64 `json:"tolerance"`         // of MeanError
	CentredTolerance float64 `json:"centred_tolerance"` // of CentredError
	OffsetTolerance  float64 `json:"offset_tolerance"`  // of |Offset|
}

// Run is the measurement of one configuration.
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
	Served      *Served       `json:"served,omitempty"`    // nil: by an engine in this process
}

// Stages is what the kernels cost, in batches that were scored only for that, after the
// measurement, by one caller: each batch once normally, and once with its kernels timed.
type Stages struct {
	Batches  int           `json:"batches"` // each was scored twice
	Pairs    int           `json:"pairs"`   // in these batches, each counted once
	Tokens   int           `json:"tokens"`
	Fused    time.Duration `json:"fused_infer_ns"`         // inference of the batches, without timing
	Timed    time.Duration `json:"timed_infer_ns"`         // inference of the batches, with timing
	FusedGPU time.Duration `json:"fused_gpu_ns,omitempty"` // the GPU's computing time in each, by its own clock
	TimedGPU time.Duration `json:"timed_gpu_ns,omitempty"`
	Kernels  []Kernel      `json:"kernels"` // of the timed batches
}

// Kernel is what one kernel of one layer cost in a whole run or in its stages, as in
// model.KernelTime.
type Kernel struct {
	Layer  int           `json:"layer"` // from 0; -1 outside the layers
	Block  string        `json:"block"` // "" for time inside passes that belongs to no kernel
	Kernel string        `json:"kernel"`
	Shape  string        `json:"shape"`
	Calls  int64         `json:"calls"`
	Time   time.Duration `json:"time_ns"` // summed over the workers
	FLOPs  int64         `json:"flops"`
	Bytes  int64         `json:"bytes"`
}

// Warmup describes what ran before the measurement.
type Warmup struct {
	Batches int           `json:"batches"`
	Time    time.Duration `json:"time_ns"`
	Stable  bool          `json:"stable"` // the last few batches had the same rate, to a few per cent
}

// BatchSample is one batch of one run.
type BatchSample struct {
	Start    time.Duration `json:"start_ns"`    // since the run's start; in an open loop the intended start
	Latency  time.Duration `json:"latency_ns"`  // from Start to the scores
	Tokenize time.Duration `json:"tokenize_ns"` //
	// Overlapped is the part of Tokenize during which the batch was also in inference:
	// Latency is Queue + Tokenize - Overlapped + Infer, plus the time for handing the
	// scores over. In older recordings it is missing, and 0 is right: their engines did not
	// overlap the two.
	Overlapped time.Duration `json:"overlapped_ns,omitempty"`
	Queue      time.Duration `json:"queue_ns"` // waiting for a worker
	// Late is the part of Queue before the call was made: in an open loop, how long after
	// Start a caller had time for it.
	Late     time.Duration `json:"late_ns,omitempty"`
	Infer    time.Duration `json:"infer_ns"`         //
	GPU      time.Duration `json:"gpu_ns,omitempty"` // the GPU's computing time, by its own clock; 0 if there is no GPU
	Pairs    int           `json:"pairs"`
	Tokens   int           `json:"tokens"`
	Padded   int           `json:"padded"`             // tokens if every pair were padded to the batch's longest
	Computed int           `json:"computed"`           // tokens the kernels ran over, any padding of their own included; 0: not told
	FLOPs    int64         `json:"flops"`              // multiply and add counted apart
	Handling *Handling     `json:"handling,omitempty"` // nil: not told, as in recordings from before it
}

// Sample is what the machine showed in one half second.
type Sample struct {
	At        time.Duration `json:"at_ns"`
	GPUMemory *float64      `json:"gpu_memory_mb"`
	GPUBusy   *float64      `json:"gpu_busy_percent"`
	CPU       *float64      `json:"cpu_percent"` // of all cores together: 100 means that all are busy
	RSS       *float64      `json:"rss_mb"`
}
