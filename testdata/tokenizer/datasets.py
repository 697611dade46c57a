"""Prints, for the data sets that are not the project's own, a SHA-256 over the ids
that Hugging Face's Rust library gives their pairs; the digests stand in
model/tokenizer/shared_test.go.

    pip install --no-deps tokenizers==0.23.3
    python testdata/tokenizer/datasets.py $MINILM_SHARED [FOLDER]

With a folder the ids themselves go there, a file a data set and a line a pair, to
compare with those that the test writes when a digest differs. Keep them out of the
repository: the texts are not ours.
"""

import hashlib
import json
import sys
from pathlib import Path

from tokenizers import Tokenizer

data = Path(sys.argv[1], "data")


def pairs_of(name):
    if name.startswith("xquad-"):
        for d in json.loads((data / "xquad" / f"xquad.{name[6:]}.json").read_text(encoding="utf-8"))["data"]:
            for paragraph in d["paragraphs"]:
                for qa in paragraph["qas"]:
                    yield qa["question"], paragraph["context"]
        return
    for result in json.loads((data / "msmarco-dl19" / "retrieve_results_dl19.json").read_text(encoding="utf-8")):
        for hit in result["hits"]:
            yield result["query"], hit["content"]


tokenizer = Tokenizer.from_file(str(data / "model-files" / "tokenizer.json"))
tokenizer.no_padding()
for name in ["msmarco-dl19", "xquad-de", "xquad-en", "xquad-ru", "xquad-zh"]:
    pairs = list(pairs_of(name))
    for length, direction in [(512, "right"), (64, "left")]:
        tokenizer.enable_truncation(length, direction=direction)
        ids = [e.ids for e in tokenizer.encode_batch(pairs)]
        text = "".join(" ".join(map(str, row)) + "\n" for row in ids)
        digest = hashlib.sha256(text.encode()).hexdigest()
        left = str(direction == "left").lower()
        print(f'{{"{name}", {length}, {left}, {len(pairs)}, {sum(map(len, ids))}, "{digest}"}},')
        if len(sys.argv) > 2:
            Path(sys.argv[2], f"{name}-{length}-{direction}.txt").write_text(text)
