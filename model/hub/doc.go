// Package hub finds a model on this machine by what its user calls it: the
// path of a directory, or a Hugging Face id such as
//
//	cross-encoder/ms-marco-MiniLM-L-6-v2
//	cross-encoder/ms-marco-MiniLM-L-6-v2@main
//	cross-encoder/ms-marco-MiniLM-L-6-v2@233902d25c440f23af6f7d6e94d2946bac0bee0a
//
// looked up in the local Hugging Face cache. It reads files only and never the
// network; package hub/pull downloads, when asked.
//
// # The cache
//
// The layout is huggingface_hub's, described for other languages at
// https://huggingface.co/docs/hub/local-cache:
//
//	<cache>/models--<org>--<name>/refs/<revision>           40 hex digits: a commit
//	<cache>/models--<org>--<name>/snapshots/<commit>/<file> -> ../../blobs/<etag>
//	<cache>/models--<org>--<name>/blobs/<etag>              the bytes
//
// An etag is the sha256 of a large file or the git blob hash of a small one.
// Where links cannot be made (Windows without developer mode) a snapshot holds
// plain files. A blob may itself be a link into <cache>/blobs, which
// huggingface_hub shares between repositories.
//
// # Links
//
// [Snapshot.FS] opens files under one rule. The names this package knows
// (config.json, tokenizer.json, model.safetensors ...) in a directory that the
// user named may be links to anywhere: whoever named the directory vouches for
// them. Every other name comes out of a file, as the shards of an index do, and
// must stay inside that directory. In a cache snapshot no name may leave the
// cache.
package hub
