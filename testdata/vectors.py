"""vectors.py > vectors.json : bytes and similarities of sentence-transformers for engine/vectors.

Embeddings are made of whole numbers, so that every language has the same: value k, row by row,
is float32(k·multiplier mod modulus − offset) / float32(divisor). The first "calibrate" rows are
the calibration embeddings. Written and run with sentence-transformers 6.2.0, from testdata.

vectors.json: {"versions", "cases": [{"name", "rows", "width", "multiplier", "modulus", "offset",
"divisor", "calibrate", "bytes": {type: [hex of a row]}, "similarities": {name: row 0 with each},
"unit": row 1 at unit length}]}
"""
import json, numpy as np, sentence_transformers, torch
from sentence_transformers.util import quantize_embeddings, SimilarityFunction, normalize_embeddings

CASES = [  # name, rows, width, multiplier, modulus, offset, divisor, calibrate
    ("spread", 24, 19, 7919, 2003, 1001, 997, 9),
    ("on steps", 24, 40, 31, 301, 20, 255, 12),  # many values lie on the border of two steps
    ("equal", 6, 9, 9, 9, 4, 7, 6),              # a dimension has one value in all rows
    ("beyond", 12, 8, 37, 97, 48, 3, 2),         # most values are outside of the ranges
    ("of one", 10, 8, 37, 97, 48, 3, 1),         # ranges without a width: steps of 1
    ("small", 8, 17, 101, 263, 131, 4194304, 5),
]

out = []
for name, rows, width, multiplier, modulus, offset, divisor, calibrate in CASES:
    k = np.arange(rows * width, dtype=np.int64)
    x = ((k * multiplier % modulus - offset).astype(np.float32) / np.float32(divisor)).reshape(rows, width)
    assert x.dtype == np.float32
    made = {t: [row.tobytes().hex() for row in quantize_embeddings(x, t, calibration_embeddings=x[:calibrate])] for t in ["int8", "uint8", "binary", "ubinary"]}
    likeness = {s: SimilarityFunction.to_similarity_fn(s)(torch.from_numpy(x[:1]).double(), torch.from_numpy(x).double())[0].tolist() for s in ["cosine", "dot", "euclidean", "manhattan"]}
    unit = normalize_embeddings(torch.from_numpy(x[1:2]).double())[0].tolist()
    out.append({"name": name, "rows": rows, "width": width, "multiplier": multiplier, "modulus": modulus, "offset": offset, "divisor": divisor,
                "calibrate": calibrate, "bytes": made, "similarities": likeness, "unit": unit})
versions = f"sentence-transformers {sentence_transformers.__version__}, numpy {np.__version__}"
print("{" + f'"versions":{json.dumps(versions)},"cases":[\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in out) + "\n]}")
