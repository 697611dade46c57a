package engine

import "github.com/minilm-metal/minilm-metal/model"

// Info says what an engine is made of. Nothing in it changes while the engine is open.
type Info struct {
	Config         model.Config `json:"config"`
	Parameters     int64        `json:"parameters"`                // values in all of the model's tensors
	Device         string       `json:"device"`                    // "cpu", "metal", "reference"
	InstructionSet string       `json:"instruction_set,omitempty"` // of the processor's kernels, such as "avx2"; "" on other devices
	Precision      string       `json:"precision"`                 // "f32", "bf16x3", "bf16", "f16", "int8", "f64"
	Workers        int          `json:"workers"`                   // passes at once
	MaxLength      int          `json:"max_length"`                // tokens in a pair, special tokens included
	MaxLengthFrom  string       `json:"max_length_from"`           // what says so: "by request", or a file and its field
	// TruncationStrategy says what becomes of a longer pair, by the names that transformers
	// has: "longest_first" cuts the longer text, "only_first" the query alone, "only_second" the
	// passage alone, and "do_not_truncate" neither. A pair that it leaves too long is an error
	// that is ErrTooLong. TruncationSide is the end of a text that is cut, "right" or "left".
	TruncationStrategy string `json:"truncation_strategy"`
	TruncationSide     string `json:"truncation_side"`
	// Prompts are the texts that PromptName puts before queries, by name: the checkpoint's and
	// those of the option Prompts. DefaultPrompt names the one of calls that ask for none; ""
	// is no prompt.
	Prompts       map[string]string `json:"prompts,omitempty"`
	DefaultPrompt string            `json:"default_prompt,omitempty"`
	Choices       []string          `json:"choices"` // what was chosen and why, a line each
	// Warnings say what of the checkpoint's files is not used, contradicts itself, or may mean
	// other scores than are wanted, a line each. The logger has them too.
	Warnings []string `json:"warnings,omitempty"`
	// Candidates are the precisions among which "auto" chose, each measured and judged as
	// far as the choice depended on it; nil where there was nothing to choose.
	Candidates []Candidate `json:"candidates,omitempty"`
	// CalibrationFile is where their figures were found, but for scores that nobody had
	// judged before; "": they were measured now, or there was nothing to choose.
	CalibrationFile string `json:"calibration_file,omitempty"`
}
