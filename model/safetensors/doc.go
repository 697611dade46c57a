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
// A header is read where it lies: memory is taken for the names, shapes and metadata
// that it keeps. That these stay few, a file has at most 65,536 tensors and 4,096
// entries of metadata; the first one beyond is an error.
//
// Source: https://github.com/huggingface/safetensors, README.md and the checks
// of safetensors/src/tensor.rs, in its order and under its error names. Stricter
// than that library are three rules: a duplicate key is an error (it keeps the
// last), as the format demands, and so are more than 64 dimensions, and a tensor
// that is told as an array and not as an object.
//
// A checkpoint in several files, shards, has an index beside them that says
// which tensor is in which: [OpenCheckpoint] reads either kind.
//
// # Memory
//
// Files on disk are mapped, so opening one costs its header, and a tensor's
// bytes are read when they are touched. [Tensor.Float32s] gives float32 tensors
// without a copy where the machine can read them in place; where it must copy, it
// gives the mapped pages back to the system, so that memory does not hold the weights twice.
//
// If another process truncates a mapped file, reading what is gone would kill
// this one (SIGBUS), and if it writes to the file, the tensors change under whoever
// reads them. [File.Guard] turns the one into [ErrTruncated] and the other into
// [ErrChanged]; the methods of Tensor that read data use it themselves.
package safetensors
