package report

import (
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// Report is the figures derived from a [recording.Recording], and the schema of
// report.json. A nil pointer (null) is a figure that was not measured or, in a
// report read by package compare, not told.
type Report struct {
	Schema      int                    `json:"schema"`
	Name        string                 `json:"name"`
	Description string                 `json:"description"`
	Started     time.Time              `json:"started"`
	Model       recording.Model        `json:"model"`
	Task        string                 `json:"task,omitempty"` // as in the recording: empty, or "embed", where pairs are texts
	Backend     string                 `json:"backend"`
	Device      string                 `json:"device"`
	Precision   string                 `json:"precision"` // empty: not told
	Environment *recording.Environment `json:"environment"`
	Dataset     *recording.Dataset     `json:"dataset"`
	ColdStart   *recording.ColdStart   `json:"cold_start"`
	Accuracy    *recording.Accuracy    `json:"accuracy"`
	Judged      *JudgedFigures         `json:"judged,omitempty"` // nil: no pairs were given for it
	Server      *recording.Server      `json:"server,omitempty"` // nil: an engine in the bench's process
	Peak        *float64               `json:"peak_flops"`       // the device's measured peak, FLOP/s

	// Variants are the precisions of a sweep; nil: there was none.
	Variants []recording.Variant `json:"variants,omitempty"`

	// Withheld says why there are no speed figures; empty: they stand.
	Withheld string `json:"withheld"`

	Summary Overall   `json:"summary"`
	Configs []Figures `json:"configs"`

	// The scenarios, which take the place of configurations; nil: not measured.
	Mix      *MixFigures      `json:"mix,omitempty"`
	Overload *OverloadFigures `json:"overload,omitempty"`
	Load     *LoadFigures     `json:"load,omitempty"`
	Ablation *AblationFigures `json:"ablation,omitempty"`

	// LoadCorrelation is that of mean latency with average throughput across
	// the configurations; nil for fewer than three.
	LoadCorrelation *float64 `json:"load_correlation"`
	CutShort        bool     `json:"cut_short,omitempty"` // the run was interrupted
	Notes           []string `json:"notes"`

	// recording is what the report was derived from, which its page carries; nil: the report
	// was read.
	recording *recording.Recording
}

// Overall is the figures over all configurations.
type Overall struct {
	PairsPerSecond    *float64 `json:"pairs_per_second"` // the best configuration's average
	Fastest           *Config  `json:"pairs_per_second_config"`
	LatencyMS         *float64 `json:"latency_ms"` // the lowest mean latency of a batch
	Quickest          *Config  `json:"latency_config"`
	AverageThroughput *float64 `json:"average_pairs_per_second"` // mean over configurations
	AverageLatencyMS  *float64 `json:"average_latency_ms"`       // mean over configurations
}

// Config is what distinguishes one run of a recording from another.
type Config struct {
	Batch       int     `json:"batch"`
	Concurrency int     `json:"concurrency"`
	Loop        string  `json:"loop"` // "closed", or "open" (Poisson arrivals)
	Rate        float64 `json:"rate"` // open loop: offered pairs/s
	// Where they are swept: "" and 0 are the report's own precision and text.
	Precision string `json:"precision,omitempty"`
	Length    int    `json:"length_tokens,omitempty"`
}

// String is the configuration as the report's tables name it.
func (c Config) String() string {
	return fmt.Sprintf("batch=%d, conc=%d%s%s", c.Batch, c.Concurrency, c.sweepSuffix(), c.loopSuffix())
}

// sweepSuffix names what is swept beyond the format's two numbers.
func (c Config) sweepSuffix() (suffix string) {
	if c.Precision != "" {
		suffix = ", precision=" + c.Precision
	}
	if c.Length > 0 {
		suffix += fmt.Sprintf(", length=%d", c.Length)
	}
	return suffix
}

// loopSuffix names an open loop and says nothing of a closed one, which is what
// the format knows.
func (c Config) loopSuffix() string {
	if c.Loop != "open" {
		return ""
	}
	return fmt.Sprintf(", open loop at %v pairs/s", c.Rate)
}

// Figures is one configuration's.
type Figures struct {
	Config
	Pairs       int               `json:"pairs"`     // scored
	Requested   int               `json:"requested"` // asked for; 0: not told
	TimeBounded bool              `json:"time_bounded"`
	Warmup      *recording.Warmup `json:"warmup"`
	Seconds     *float64          `json:"seconds"` // first start to last end

	Latency     *stats.Summary `json:"latency_ms"` // of a batch
	Throughput  *Throughput    `json:"throughput_pairs_per_second"`
	Ranges      []LatencyRange `json:"latency_ranges"`
	Correlation *float64       `json:"latency_throughput_correlation"` // of a batch's latency with its throughput
	Bounds      []Bound        `json:"latency_bounds"`

	// Over all batches. Late + Queue + Tokenize - Overlapped + Infer + Unaccounted is the
	// latency.
	Late        *stats.Summary `json:"late_ms,omitempty"` // until the bench made the call; nil: it is never late, or not told
	Tokenize    *stats.Summary `json:"tokenize_ms"`
	Overlapped  *stats.Summary `json:"overlapped_ms"` // of Tokenize, beside the batch's own inference
	Queue       *stats.Summary `json:"queue_ms"`
	Infer       *stats.Summary `json:"infer_ms"`
	Unaccounted *stats.Summary `json:"unaccounted_ms"` // in none of them: handing the scores over
	Path        *Path          `json:"path,omitempty"` // the same, to the end; nil: not told

	Served   *ServedFigures  `json:"served,omitempty"`   // nil: no server was measured
	Open     *recording.Open `json:"open,omitempty"`     // nil: a closed loop, or not told
	Scenario *Scenario       `json:"scenario,omitempty"` // nil: none of LoadGen's, or not told
	Steady   *Steady         `json:"steady,omitempty"`   // nil: not told

	Stages    *StageFigures `json:"stages"` // of inference
	Work      *Work         `json:"work"`
	Dashboard Dashboard     `json:"dashboard"`
	Samples   *Samples      `json:"samples"`
}

// Throughput is two averages and the spread of one of them, in pairs/s.
type Throughput struct {
	Average  float64       `json:"average"`   // all pairs over all time
	PerBatch stats.Summary `json:"per_batch"` // of each batch's pairs over its latency
}

// LatencyRange is the batches of one range of latency: From <= latency < To,
// with nil for no limit. The figures are their throughput in pairs/s, nil
// where there are none.
type LatencyRange struct {
	Name  string   `json:"range"`
	From  *float64 `json:"from_ms"`
	To    *float64 `json:"to_ms"`
	Mean  *float64 `json:"mean"`
	Min   *float64 `json:"min"`
	Max   *float64 `json:"max"`
	Count int      `json:"count"`
}

// Work is what a run computed, and how fast. The padding is in percent of the
// tokens that there would be with it.
type Work struct {
	Tokens          int      `json:"tokens"`
	TokensPerSecond *float64 `json:"tokens_per_second"`
	FLOPsPerSecond  *float64 `json:"flops_per_second"`
	PeakShare       *float64 `json:"share_of_peak"`           // FLOPsPerSecond over the report's Peak
	PaddingWaste    *float64 `json:"padding_waste_percent"`   // if every pair were padded to its batch's longest
	PaddingActual   *float64 `json:"padding_actual_percent"`  // computed in vain
	PaddingAvoided  *float64 `json:"padding_avoided_percent"` // the difference
}

// Samples keeps the figure of every batch, in order of completion, for tests of
// a difference. All that are told have the same length.
type Samples struct {
	Start      []float64 `json:"start_ms,omitempty"` // since the run's start; absent: a report that does not tell
	Latency    []float64 `json:"latency_ms"`
	Throughput []float64 `json:"throughput_pairs_per_second"`
	Tokenize   []float64 `json:"tokenize_ms"`
	Overlapped []float64 `json:"overlapped_ms"` // null: read from a report that does not tell
	Queue      []float64 `json:"queue_ms"`
	Infer      []float64 `json:"infer_ms"`
}

// Dashboard is what was seen each half second. See the package comment for what
// a row looks back on.
type Dashboard struct {
	Metrics []DashboardMetric `json:"metrics"` // over the rows
	Rows    []DashboardRow    `json:"rows"`
}

// Metric is the spread of one column of the dashboard; nil where no row has it.
type DashboardMetric struct {
	Name   string  `json:"metric"`
	Spread *Spread `json:"spread"`
}

// Spread is the figures of a dashboard metric, in the unit that its name says.
type Spread struct {
	Mean float64 `json:"mean"`
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
}

// DashboardRow is one half second.
type DashboardRow struct {
	At            float64  `json:"at_seconds"` // its end, since the run's start
	GPUMemory     *float64 `json:"gpu_memory_mb"`
	GPUBusy       *float64 `json:"gpu_busy_percent"`
	CPU           *float64 `json:"cpu_percent"`
	Memory        *float64 `json:"process_memory_mb"`
	Latency       *float64 `json:"latency_ms"`
	Throughput    *float64 `json:"pairs_per_second"`
	Tokenize      *float64 `json:"tokenize_ms"`
	Infer         *float64 `json:"infer_ms"`
	Queue         *float64 `json:"queue_ms"`
	PaddingWaste  *float64 `json:"padding_waste_percent"`
	PaddingActual *float64 `json:"padding_actual_percent"`
}
