"""real_embedder.py FOLDER > real_embedder.json : what sentence-transformers makes of all-MiniLM-L6-v2.

FOLDER is that model as it was published (MINILM_REAL_MODEL for the tests). Run with
sentence-transformers 6.2.0; float32 on the processor, one text at a time.

real_embedder.json: {"versions", "weights": their sha256, "rows": [{"text", "tokens", "embedding":
float32, little-endian, in base64}]}
"""
import base64, hashlib, json, sys
import sentence_transformers, torch, transformers
from sentence_transformers import SentenceTransformer

LONG = "The river carries more water in spring, when the snow of the mountains melts, than in all other months together. "
TEXTS = ["", "who", "How many people live in Berlin?", "Berlin had a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers.",
         "New York City is famous for the Metropolitan Museum of Art.", "naïve café, ZÜRICH — 北京 и Москва", "[SEP] in a text [PAD] of [CLS] its own",
         LONG, LONG * 5, LONG * 10, LONG * 12, LONG * 24, "x" * 300, "a b " * 300]

folder = sys.argv[1]
m = SentenceTransformer(folder, device="cpu", local_files_only=True)
rows = [{"text": t, "tokens": m.preprocess([t])["input_ids"].shape[1], "embedding": base64.b64encode(m.encode([t])[0].astype("<f4").tobytes()).decode()} for t in TEXTS]
versions = {"sentence_transformers": sentence_transformers.__version__, "transformers": transformers.__version__, "torch": torch.__version__}
with open(folder + "/model.safetensors", "rb") as f:
    weights = hashlib.file_digest(f, "sha256").hexdigest()
json.dump({"versions": versions, "weights": weights, "rows": rows}, sys.stdout, indent=1, ensure_ascii=False)
print()
