"""What all clients are asked, and how they tell what they got.

A program's argument is the address of the test. GET / there has what to ask and where; a
case begins and ends by a POST to it, so that the test knows which requests a client made
for which case. When all are done, one line of JSON has every answer and the versions.
"""

import importlib.metadata
import json
import os
import sys
import traceback
import urllib.request

os.environ.update({
    "HF_HUB_OFFLINE": "1",  # nothing is asked of anyone but the test
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGCHAIN_TRACING_V2": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "DO_NOT_TRACK": "1",
})

CONTROL = sys.argv[1]
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _control(path, data=None):
    with _opener.open(CONTROL + path, data=data) as answer:
        return json.loads(answer.read() or b"null")


ASK = _control("/")
_answers = {}


def case(name, call):
    """Runs one case and keeps what it returned or raised. "busy" has the server refuse."""
    quoted = urllib.request.quote(name)
    _control("/begin/" + quoted, b"")
    try:
        answer = call()
    except Exception as e:  # what a caller would have to catch
        answer = {"error": type(e).__name__, "text": str(e)}
        if os.environ.get("MINILM_CLIENTS_TRACE"):
            traceback.print_exc()
    _control("/end/" + quoted, b"")
    _answers[name] = answer


def scores(pairs, documents=None):
    """The answer of a ranking: pairs of index and score, best first, as the client has them."""
    pairs = [(int(i), float(s)) for i, s in pairs]
    return {"order": [i for i, _ in pairs], "scores": [s for _, s in pairs], "documents": documents}


def done(*packages):
    """Prints the line; packages are those whose versions it tells."""
    versions = {p: importlib.metadata.version(p) for p in packages}
    print(json.dumps({"versions": versions, "answers": _answers}))
