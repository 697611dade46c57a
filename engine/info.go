package engine

import (
	"github.com/minilm-metal/minilm-metal/engine/vectors"
	"github.com/minilm-metal/minilm-metal/model"
)

// Info describes an open engine. Nothing in it changes while the engine is open.
type Info struct {
	Config         model.Config `json:"config"`
	Parameters     int64        `json:"parameters"`                // values in all of the model's tensors
	WeightsFormat  string       `json:"weights_format"`            // of the checkpoint's file, "safetensors" or "PyTorch"
	Device         string       `json:"device"`                    // "cpu", "metal", "reference"
	InstructionSet string       `json:"instruction_set,omitempty"` // of the processor's kernels, such as "avx2"; "" on other devices
	Precision      string       `json:"precision"`                 // "f32", "bf16x3", "bf16", "f16", "int8", "f64"
	Workers        int          `json:"workers"`                   // passes that run at the same time
	TokenBudget    int          `json:"token_budget"`              // the most tokens in a pass
	Dimensions     int          `json:"dimensions,omitempty"`      // values of an embedding; 0 if the engine scores
	// Modules are, in words and in order, what makes an embedding of the encoder's last hidden
	// state, such as "pooling: mean"; nil if the engine scores.
	Modules []string `json:"modules,omitempty"`
	// Similarity is how embeddings are meant to be compared, by the checkpoint's files: cosine,
	// where they name nothing else; "" if the engine makes none.
	Similarity vectors.Similarity `json:"similarity,omitempty"`
	// Labels are the names of a classifier's labels, in the order of Classify's values; nil if
	// the engine does something else. Final says what those values are: "softmax", "sigmoid",
	// or "identity" for a regression's.
	Labels        []string         `json:"labels,omitempty"`
	Final         model.Activation `json:"final,omitempty"`
	MaxLength     int              `json:"max_length"`      // tokens in a pair or text, special tokens included
	MaxLengthFrom string           `json:"max_length_from"` // where MaxLength comes from: "by request", or a file and its field
	// TruncationStrategy says how a longer pair is cut, in transformers' terms:
	// "longest_first" cuts the longer text, "only_first" only the query, "only_second" only
	// the passage, "do_not_truncate" neither. A pair that stays too long is an ErrTooLong
	// error. TruncationSide is the end of the text that is cut, "right" or "left".
	TruncationStrategy string `json:"truncation_strategy"`
	TruncationSide     string `json:"truncation_side"`
	// Sigmoid is true if a cross-encoder's files name the sigmoid as what is done to its logits, or
	// name nothing: sentence-transformers and vLLM then give scores between 0 and 1. The engine
	// gives raw logits in any case, unless it has the option Sigmoid or a call SigmoidScores.
	Sigmoid bool `json:"sigmoid"`
	// Prompts are what PromptName can put before queries and single texts, by name: the
	// checkpoint's own and those of the option Prompts. DefaultPrompt is the name of the
	// prompt for calls that ask for none; "" means no prompt.
	Prompts       map[string]string `json:"prompts,omitempty"`
	DefaultPrompt string            `json:"default_prompt,omitempty"`
	Choices       []string          `json:"choices"` // the device, precision and so on that were chosen, each with the reason, one a line
	// Warnings are about the checkpoint's files, one a line: what is not used, what
	// contradicts itself, and what may mean other scores than intended. They also go to the
	// logger.
	Warnings []string `json:"warnings,omitempty"`
	// Candidates are the precisions among which "auto" chose, each measured as far as the
	// choice depended on it; nil if there was no choice.
	Candidates []Candidate `json:"candidates,omitempty"`
	// CalibrationFile is the file that the Candidates' figures were read from; "" if they
	// were measured by this engine, or there was no choice. A deviation that the file
	// lacked was measured by this engine in any case.
	CalibrationFile string `json:"calibration_file,omitempty"`
}
