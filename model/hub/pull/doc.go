// Package pull downloads a checkpoint from a Hugging Face hub into the local
// cache of package hub, in huggingface_hub's layout, so that either finds what
// the other fetched. Nothing calls it but a user who asks for a download.
//
// # The protocol
//
// As huggingface_hub speaks it. For each file
//
//	HEAD {endpoint}/{id}/resolve/{revision}/{file}
//
// answers with X-Repo-Commit (the commit the revision stands for), an etag
// (X-Linked-Etag, else ETag) and a size (X-Linked-Size, else Content-Length).
// The etag is the file's own hash: sha256 where it is in large-file storage,
// else git's blob hash, sha1("blob <size>\x00" + content). Redirects within a
// host are followed (a renamed repository), and those of a mirror that sends its
// readers to the hub. A redirect that itself has the file's headers leads to
// storage, and is not followed: the answer there has other headers. A GET of the
// same address follows every redirect and brings the bytes.
//
// A hub that is down, or that is not to be asked (Options.Offline), does no harm
// where the cache has all that is wanted.
//
// # Safety
//
//   - The token goes to the endpoint's scheme, host and port, and nowhere else:
//     each redirect is followed by hand.
//   - Bytes are written to blobs/<etag>.incomplete and become blobs/<etag> only
//     when their size and hash are the announced ones. A snapshot never shows a
//     part of a file.
//   - What was interrupted is resumed with a Range request, by this process or
//     a later one. An answer that is not the asked range starts afresh. Content
//     that is wrong when whole is fetched once more, and then given up.
//   - A server that brings nothing, or next to nothing, is given up on.
//   - Nothing is written through a link that somebody has planted in the cache:
//     one in a file's place is replaced, one in a folder's is an error. The
//     folder that the user named may be a link, and files are read through them.
//   - A lock per blob (.locks/, huggingface_hub's own) lets one process at a
//     time write it; a second finds the finished file.
//   - The weights of the pinned commit (hub.PinOf) must have the pinned size and
//     sha256, whatever the server says.
package pull
