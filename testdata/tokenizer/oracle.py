"""Answers what Hugging Face's Rust library makes of pairs, for TestAgainstLibrary.

Standard input has a batch a line, {"tokenizer": a tokenizer.json, "groups":
[{"max", "left", "strategy", "pairs": [[query, passage], ...]}, ...]}; standard output
gets a list a line: for each pair, the ids, the types and the offsets (start, end,
start, ..., in code points of the token's text), null where the library panics, or
"too long" where it has an error instead of cutting the pair or, since
do_not_truncate is none to it, does not cut it to max. A tokenizer that the library
does not read is answered with {"error": what it says}.

The version is pinned by .ci/run; another one is refused, since its Unicode data
may differ.
"""

import json
import os
import sys

os.environ["RAYON_NUM_THREADS"] = "1"  # the test runs a child a processor
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tokenizers  # noqa: E402

if tokenizers.__version__ != sys.argv[1]:
    sys.exit(f"tokenizers {tokenizers.__version__}, want {sys.argv[1]}")

TOO_LONG = "too long"


def answer(batch):
    try:
        tokenizer = tokenizers.Tokenizer.from_str(batch["tokenizer"])
    except Exception as error:  # its binding raises no narrower one
        return {"error": str(error)}
    out = []
    for group in batch["groups"]:
        if group["strategy"] == "do_not_truncate":
            tokenizer.no_truncation()
        else:
            side = "left" if group["left"] else "right"
            tokenizer.enable_truncation(group["max"], strategy=group["strategy"], direction=side)
        pairs = [tuple(pair) for pair in group["pairs"]]
        try:
            encodings = tokenizer.encode_batch(pairs)
        except BaseException:  # of one pair; a panic's class is no Exception
            encodings = [alone(tokenizer, pair) for pair in pairs]
        for e in encodings:
            if e is None or e == TOO_LONG or len(e.ids) > group["max"]:
                out.append(e and TOO_LONG)
            else:
                out.append([e.ids, e.type_ids, [at for span in e.offsets for at in span]])
    return out


def alone(tokenizer, pair):
    try:
        return tokenizer.encode(*pair)
    except Exception as error:
        if not str(error).startswith("Truncation error"):
            raise
        return TOO_LONG
    except BaseException:
        return None


for line in sys.stdin:
    sys.stdout.write(json.dumps(answer(json.loads(line)), separators=(",", ":")) + "\n")
    sys.stdout.flush()
