// Package pickle reads the weights that torch.save wrote, pytorch_model.bin, without
// running anything: in place, for package model ([Format]), or to write them as safetensors,
// for the convert command ([Open], [OpenCheckpoint]).
//
// A file is a pickle, a program for a small stack machine that builds a dict, and the
// bytes of the tensors' storages beside it. There are two formats:
//
//	zip, since PyTorch 1.6    NAME/data.pkl      the pickle
//	                          NAME/data/KEY      a storage's bytes
//	                          NAME/byteorder     "little" or "big"; little if not there
//	legacy, before            five pickles (a magic number, the protocol 1001, facts about
//	                          the system, the dict, the list of storage keys), then of each
//	                          key 8 bytes, how many elements, and the bytes, little-endian
//
// A tensor is a view of a storage: an offset, a shape and strides in elements. What is not
// row-major comes out row-major; tensors that share a storage come out each with values of
// its own, as they are equal then and later.
//
// # What is read
//
// The opcodes are those that PyTorch's own restricted reader knows (torch.load with
// weights_only, the default since 2.6), and the globals the few that build tensors and the
// dict around them. Any other global is an error that names it; no global is ever looked up,
// let alone called. The dict must map names to tensors: one with anything else in it, such
// as a training checkpoint around the weights, is refused by the name of the entry, since
// dropping a part of a file that somebody meant is no conversion.
//
// # Limits
//
// A pickle has at most 16 MiB and a million values, lengths in a file are held against the
// bytes that are there before memory is taken for them, and the tensors may together cost
// sixteen times the bytes of their file (to read and to write), which bounds compressed
// storages, and tensors that repeat one. To convert them, storages are streamed; a view that
// is not row-major takes memory for what it spans, at most 256 MiB.
//
// In place, a tensor is a range of the mapped file, whose storages are held against their
// checksums once. Views that are compressed, not row-major or big-endian are copied, which
// may take twice the file's bytes for all of them together. The values of a pickle and a zip
// file's directory are bounded by the size of their file, too, so that to open one takes less
// than four times that.
//
// # Tried
//
// github.com/nlpodyssey/gopickle v0.2.0, the only version, of February 2023, reads all
// well-formed files of ours. Of sixteen hostile ones six ended the process: the lengths of
// BINBYTES8, of FRAME and of a storage are allocated before a byte is read (a terabyte is out
// of memory, 2⁶³-1 or -1 a panic), and a file in the tar format panics too. One of 16 MB of
// EMPTY_LIST was not done after a minute, at 1.7 GB. It also widens half precision to float32,
// so that the type is lost, holds all tensors in memory, reads no legacy storage that is a
// part of another, and takes the last part of a zip entry's path for its name.
package pickle
