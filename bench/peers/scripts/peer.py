"""The protocol of bench peers, for a peer in Python: a JSON object a line, an answer to each.

A peer has: open(opening), which returns a dict of input, how and unit; take(rows), which keeps
the pairs in the form that its library reads (this is not timed); and score(first, last), which
returns the logits and, if it can tell them apart, the seconds of each unit, else None. Where the
opening's task is "embed", a pair is a text, and score returns the embeddings, a row each. What
computes is named in packages. prepare(opening, rows) is optional.
"""

import base64
import json
import os
import sys
import time
import traceback
from importlib import metadata


def serve(peer):
    # Libraries write to standard output as they please, and it must hold answers alone.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    held, embeds = 0, False
    for line in sys.stdin:
        answer = {}
        try:
            request = json.loads(line)
            do = request["do"]
            if do == "prepare":
                peer.prepare(request, request.get("rows", []))
            elif do == "open":
                embeds = to_embed(request)
                answer = peer.open(request)
                answer["versions"] = {name: metadata.version(name) for name in peer.packages}
                answer["date"] = time.strftime("%Y-%m-%d")
            elif do == "pairs":
                held = len(request["rows"])
                peer.take(request["rows"])
            elif do == "score":
                first, last = request["from"], request["to"]
                if not 0 <= first <= last <= held:
                    raise ValueError(f"score {first} to {last} of {held} pairs")
                scores, seconds = peer.score(first, last)
                answer = {"embeddings": packed(scores)} if embeds else {"scores": [float(s) for s in scores]}
                if seconds is not None:
                    answer["latency_seconds"] = seconds
            else:
                raise ValueError(f"{do!r}: want prepare, open, pairs or score")
            text = json.dumps(answer, allow_nan=False)
        except ModuleNotFoundError as error:
            traceback.print_exc()
            text = json.dumps({"error": str(error), "missing": error.name or ""})
        except Exception as error:
            traceback.print_exc()
            text = json.dumps({"error": f"{type(error).__name__}: {error}"})
        answers.write(text + "\n")
        answers.flush()


def to_embed(opening):
    return opening.get("task") == "embed"


def packed(embeddings):
    """Little-endian float32 in base64: numbers in JSON would take as long as some embeddings."""
    import numpy as np

    return base64.b64encode(np.ascontiguousarray(embeddings, dtype="<f4").tobytes()).decode("ascii")


def feed(row):
    """The token ids of one pair as ONNX Runtime and OpenVINO read them: 1 x tokens, unpadded."""
    import numpy as np

    ids = np.asarray([row["ids"]], dtype=np.int64)
    return {
        "input_ids": ids,
        "token_type_ids": np.asarray([row["types"]], dtype=np.int64),
        "attention_mask": np.ones_like(ids),
    }


def once(path, make):
    """Makes a file unless it is there, whole or not at all. make gets the name to write to."""
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        unfinished = f"{path}.{os.getpid()}{os.path.splitext(path)[1]}"
        make(unfinished)
        os.replace(unfinished, path)
    return path
