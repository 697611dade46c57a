"""Answers the conformance vectors again, with the Python package of the library:

    pip install --no-deps tokenizers==0.23.3
    python testdata/tokenizer/answers.py model/synth/vocab.txt testdata/tokenizer

It reads vectors.jsonl.gz and unicode.json, which vectors.mjs describes, and writes
them with what this version makes of the same pairs and code points. Of the library's
newest versions npm has 0.23.2 alone, and that one (with 0.23.1) counts the tokens of
a text only up to the word that reaches the maximum length: two long texts are cut
otherwise than by all versions before and after.
"""

import gzip
import hashlib
import json
import sys
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer, normalizers, pre_tokenizers

vocab_path, folder = Path(sys.argv[1]), Path(sys.argv[2])


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def answer(tokenizer, line):
    config, most, left, query, passage = line[:5]
    tokenizer.enable_truncation(most, strategy="longest_first", direction="left" if left else "right")
    e = tokenizer.encode(query, passage)
    spans, end = [], 0
    for start, stop in e.offsets:
        spans += [start - end, stop - start]
        end = stop
    zeros = e.type_ids.count(0)
    assert e.type_ids == [0] * zeros + [1] * (len(e.ids) - zeros)
    return [config, most, left, query, passage, e.ids, zeros, spans]


def vectors():
    path = folder / "vectors.jsonl.gz"
    header, *lines = map(json.loads, gzip.decompress(path.read_bytes()).decode().removesuffix("\n").split("\n"))
    shipped = vocab_path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    loaded = []
    for c in header["configs"]:
        vocab = {token: i for i, token in enumerate(c["vocab"] or shipped)}
        loaded.append(Tokenizer.from_str(json.dumps({**c["json"], "model": {**c["json"]["model"], "vocab": vocab}})))
    header["version"] = tokenizers.__version__
    answers = [answer(loaded[line[0]], line) for line in lines]
    print(sum(a != b for a, b in zip(lines, answers)), "of", len(lines), "pairs have another answer")
    text = "\n".join(map(compact, [header, *answers])) + "\n"
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def code_points():
    path = folder / "unicode.json"
    known = json.loads(path.read_text())
    split = pre_tokenizers.BertPreTokenizer()
    for name in known["sha256"]:
        on = name.split("+")
        normalizer = normalizers.BertNormalizer(
            clean_text="clean" in on, handle_chinese_chars="chinese" in on, strip_accents="strip" in on, lowercase="lower" in on
        )
        digest = hashlib.sha256()
        for c in range(0x110000):
            if 0xD800 <= c < 0xE000:
                continue
            text = normalizer.normalize_str("a" + chr(c) + "b")
            words = "\x01".join(word for word, _ in split.pre_tokenize_str(text))
            digest.update(f"{text}\x02{words}\n".encode())
        if digest.hexdigest() != known["sha256"][name]:
            print("code points differ:", name)
        known["sha256"][name] = digest.hexdigest()
    known["version"] = tokenizers.__version__
    path.write_text(json.dumps(known, indent=1) + "\n")


vectors()
code_points()
