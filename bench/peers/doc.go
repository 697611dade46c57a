// Package peers measures other engines beside ours: the same weights, the same pairs, as many
// threads, in turns.
//
// Each engine is a process, its peer, that speaks a protocol of a line of JSON each way (see
// protocol.go). Those of others are the Python scripts in the folder scripts, which are part of
// the program and run by a Python that the user names; ours is the command itself. [Run] starts
// them one after the other, has each score one pair, which is its first score, and then all of
// them, which is its warm-up and shows whether its scores are right. From then on all stay
// warm, and in each round each scores all pairs once, in the order of [ab.Turns]. What counts
// is the time from the request to the answer, by one clock. A peer that is not installed,
// crashes, hangs or scores wrongly is out, and the table says why; nobody else is touched.
//
// [Derive] and [WriteMarkdown] are pure functions of a [Recording]. This package knows nothing
// of engines: the truth comes from the caller, and so does ours.
//
// # What the peers are called with
//
// Each library is called as it is at its best, and as its users call it. What takes text
// (sentence-transformers, PyTorch as the seed ran it, ours) has its tokenization in its time.
// What takes token ids gets them ready made, and is the better off for it. Graphs and quantized
// weights are derived from the same checkpoint by the scripts, in a process of their own and in
// no figure, and kept in a folder by the hash of the weights and of the scripts. Each script says
// at its head how it calls its library, and the answer to "open" says it to the reader of the
// table.
//
// # Embeddings
//
// Of a model that makes embeddings, a pair is a single text, and what comes back are the
// embeddings, in bits. ONNX Runtime and OpenVINO get graphs with all of the model's modules in
// them. sentence-transformers' own backends and fastembed get what sentence-transformers exports;
// these need older versions of what is beside them, and so the list of what is to be installed
// is another. A peer that is none of ours, such as one in Go, is a program that calls [Serve].
//
// # What cannot be
//
//   - CTranslate2 has no cross-encoders: it converts BERT as BertModel alone, and its Encoder
//     returns hidden states and the pooled vector. The classifier is one row's product with
//     each, by numpy here, which is less than a ten-thousandth of the work. It has bfloat16 on
//     processors that have MKL's products in it alone.
//   - ONNX Runtime has no bfloat16 on x86-64: its CPU provider has no MatMul of that type, and
//     mlas.enable_gemm_fastmath_arm64_bfloat16 is for arm64, as its name says.
//   - text-embeddings-inference is in no registry of Python's packages. It is a server, and
//     "bench --url" measures one that runs.
//   - The seed's run was on a GPU of Apple's. It stands in the table with its date, and with no
//     ratio: another machine has measured it.
package peers
