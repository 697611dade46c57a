"""Writes figures.json: what numpy says of a recording's batches.

    python figures.py > figures.json

The batches are made up, 310 of them, so that P99 has a bound; they are in the file too, as a
recording has them, in ns. A test derives the report's figures from them and compares: the
percentiles, the least and the most to every digit, and what sums up to rounding.
"""
import json
import sys

import numpy as np

random = np.random.default_rng(17)
n = 310
latency = np.sort(random.lognormal(np.log(60e6), 0.4, n)).astype(np.int64)
random.shuffle(latency)
tokenize = random.integers(200_000, 900_000, n)
queue = random.integers(0, 3_000_000, n)
infer = latency - tokenize - queue - random.integers(0, 40_000, n)
pairs = np.full(n, 32)
pairs[-1] = 7
start = np.concatenate([[0], np.cumsum(latency)[:-1] + 20_000 * np.arange(1, n)])


def summary(x):
    p = np.percentile(x, [50, 90, 95, 99])
    return {"n": len(x), "mean": x.mean(), "min": x.min(), "max": x.max(), "sd": x.std(),
            "p50": p[0], "p90": p[1], "p95": p[2], "p99": p[3]}


ms = latency / 1e6
rate = pairs / (latency / 1e9)
elapsed = int(start[-1] + latency[-1])
edges = np.percentile(ms, [50, 75, 90])
ranges = []
for i in range(4):
    low, high = (edges[i - 1] if i else -np.inf), (edges[i] if i < 3 else np.inf)
    inside = rate[(ms >= low) & (ms < high)]
    ranges.append({"count": len(inside), "mean": inside.mean(), "min": inside.min(), "max": inside.max()})
batches = [{"start_ns": int(s), "latency_ns": int(l), "tokenize_ns": int(t), "queue_ns": int(q), "infer_ns": int(i),
            "pairs": int(p), "tokens": 2700, "padded": 4000, "computed": 2700, "flops": 0}
           for s, l, t, q, i, p in zip(start, latency, tokenize, queue, infer, pairs)]
json.dump({
    "batches": batches, "elapsed_ns": elapsed, "latency_ms": summary(ms), "per_batch": summary(rate),
    "tokenize_ms": summary(tokenize / 1e6), "queue_ms": summary(queue / 1e6), "infer_ms": summary(infer / 1e6),
    "unaccounted_ms": summary((latency - tokenize - queue - infer) / 1e6),
    "average": int(pairs.sum()) / (elapsed / 1e9), "correlation": np.corrcoef(ms, rate)[0, 1], "ranges": ranges,
}, sys.stdout, default=lambda v: v.item())
print()
