package pickle

import "errors"

// Every error of Open wraps one of these, and names the file, the part of it, and the byte.
var (
	// ErrFormat: the file is in neither of PyTorch's formats, or is damaged.
	ErrFormat = errors.New("not a file that torch.save wrote, or a damaged one")
	// ErrGlobal: the pickle names a function or class that weights do not need.
	ErrGlobal = errors.New("weights need no such function or class, and none was called")
	// ErrNotWeights: the pickle is something else than a dict of names and tensors.
	ErrNotWeights = errors.New("not a dict of names and tensors")
	// ErrUnsupported: a kind of tensor that safetensors has not, or that is not read here.
	ErrUnsupported = errors.New("unsupported")
	// ErrLimit: reading the file would take far more memory or time than its size is worth.
	ErrLimit = errors.New("over the limit")
	// ErrChecksum: the bytes are not those that were written.
	ErrChecksum = errors.New("the checksum is wrong: the file is damaged")
)
