#!/usr/bin/python3
"""judged.py RETRIEVED.json QRELS LOGITS.f64 HITS > judged.jsonl

Writes pairs for "minilm-metal bench --accuracy": the first HITS hits of each query
of RETRIEVED.json (as castorini/rank_llm has them: [{"query", "hits": [{"content",
"qid", "docid"}]}]), with exact logits from LOGITS.f64 (little-endian doubles, query
by query) and TREC's judgements from QRELS. Grades of judged passages that are not
among the hits are there too, since nDCG compares with the best that could be.
"""
import collections, json, struct, sys
retrieved, qrels, logits, hits = json.load(open(sys.argv[1])), sys.argv[2], open(sys.argv[3], "rb").read(), int(sys.argv[4])
grades = collections.defaultdict(dict)
for line in open(qrels):
    query, _, passage, grade = line.split()
    grades[query][passage] = int(grade)
if len(logits) != 8 * hits * len(retrieved):
    sys.exit(f"{len(logits)} bytes of logits for {len(retrieved)} queries of {hits} hits")
logits = iter(struct.unpack(f"<{len(logits) // 8}d", logits))
for one in retrieved:
    of = grades[str(one["hits"][0]["qid"])]
    found = one["hits"][:hits]
    print(json.dumps({"query": one["query"], "documents": [h["content"] for h in found], "logits": [next(logits) for _ in found],
                      "judgements": [of.pop(h["docid"], None) for h in found],
                      "other_judgements": sorted((g for g in of.values() if g > 0), reverse=True)}, ensure_ascii=False))
