#!/usr/bin/python3
"""make_published.py COLLECTED.jsonl > published_scores.jsonl

Keeps, of a collection of scores that others published for
cross-encoder/ms-marco-MiniLM-L-6-v2, those that are float32 in this project's
pair encoding, once each, without truncated texts and without MS MARCO passages.
The tolerance is what float32 engines differ by among themselves, and more than
the digits printed: 1e-4 in the logit; for a sigmoid what 1e-4 in the logit
makes of it, 1.3e-6 at most here, rounded up.
"""
import json, sys
seen = set()
for line in open(sys.argv[1]):
    d = json.loads(line)
    note = d.get("note", "")
    if not d["model"].endswith("ms-marco-MiniLM-L-6-v2") or d["precision"] != "float32":
        continue
    if "single-sequence" in note or "max_length" in note or "truncated" in note or "decimals" in note:
        continue
    if d["activation"] not in ("identity", "sigmoid") or not isinstance(d["score"], float):
        continue
    key = d["query"], d["passage"], d["activation"]
    if key in seen:
        continue
    seen.add(key)
    print(json.dumps({"query": d["query"], "passage": d["passage"], "score": d["score"], "activation": d["activation"],
                      "tolerance": 1e-4 if d["activation"] == "identity" else 2e-6, "source": d["source"]}, ensure_ascii=False))
