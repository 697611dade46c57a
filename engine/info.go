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
	MaxLength      int          `json:"max_length"`                // tokens in a pair, special tokens included; text is cut to it
	MaxLengthFrom  string       `json:"max_length_from"`           // what says so: "by request", or a file and its field
	// Truncation says which text of a longer pair is cut, by the name that it has in
	// transformers: "longest_first", or what the checkpoint asks for.
	Truncation string `json:"truncation"`
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
