// Package safetensors reads and writes the safetensors format: named, dense,
// little-endian, row-major tensors behind a JSON header.
//
//	8 bytes     N, the header's length, unsigned little-endian
//	N bytes     {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
//	             "__metadata__": {"key": "value"}}, UTF-8, white space around it allowed
//	the rest    the data section; data_offsets count from its first byte
//
// The tensors tile the data section: none overlaps another, no byte is left
// over, and each has exactly the bytes its shape and dtype say. A header has at
// most 100 MB. The data section may start at any byte, so tensors may be
// unaligned in memory (those of ms-marco-MiniLM-L-6-v2 are, from byte 12,098).
//
// A header is parsed in place. Memory is needed only for the names, shapes and metadata
// that are kept. To bound that, a file may have at most 65,536 tensors and 4,096 entries of
// metadata; one more is an error.
//
// The format's source is https://github.com/huggingface/safetensors, README.md and the
// checks in safetensors/src/tensor.rs. Errors have the same names and come in the same
// order. Three rules are stricter than that library's: a duplicate key is an error, as the
// format demands (the library keeps the last one); so are more than 64 dimensions; and so
// is a tensor that is described by an array instead of an object.
//
// A checkpoint in several files (shards) has an index beside them that says which tensor is
// in which shard: [OpenCheckpoint] reads both kinds.
//
// # Memory
//
// Files on disk are mapped, so that opening one costs only its header, and a tensor's bytes
// are read when they are used. [Tensor.Float32s] returns float32 tensors without a copy if
// the machine can read them in place. If it must copy, it returns the mapped pages to the
// system, so that memory does not hold the weights twice.
//
// If another process truncates a mapped file, reading the missing part would kill this
// process (SIGBUS). If it writes to the file, the tensors change while they are used.
// [File.Guard] turns the first into [ErrTruncated] and the second into [ErrChanged]; the
// methods of Tensor that read data use it themselves.
package safetensors
