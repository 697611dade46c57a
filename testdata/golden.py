#!/usr/bin/python3
"""golden.py DIR > DIR/golden.json : logits and hidden states of a checkpoint, in float64.

The forward pass of BertForSequenceClassification in plain PyTorch (written and
run with 1.13.1), for sequences of random ids from a fixed seed. To make all of
testdata/tiny again:

    go run ./cmd/minilm-metal synth --out testdata/tiny --seed 20261124 --layers 3 --hidden 32 --heads 4 \
        --intermediate 80 --vocab 700 --positions 64 --force
    /usr/bin/python3 testdata/golden.py testdata/tiny > testdata/tiny/golden.json

golden.json: {"sequences": [{"input_ids", "token_type_ids", "logit",
"hidden": {"embed": rows, "layer 0 attention": rows, "layer 0 feed-forward": rows, ...}}],
"pairs": [{"query", "passage", "input_ids", "token_type_ids", "logit"}]}
A row is one token's hidden state; sequences of over 8 tokens have the [CLS] row alone.
Pairs are plain ASCII, which the few lines of WordPiece below do as BERT does
(Hugging Face's tokenizers 0.23.3 gives the same ids from tiny/tokenizer.json).
"""
import json, math, re, struct, sys
import numpy as np, torch, torch.nn.functional as F

def load(path):
    b = open(path, "rb").read()
    n, = struct.unpack("<Q", b[:8])
    out = {}
    for name, t in json.loads(b[8:8 + n]).items():
        if name != "__metadata__":
            s, e = t["data_offsets"]
            a = np.frombuffer(b, "<f4", (e - s) // 4, 8 + n + s).reshape(t["shape"]).copy()
            out[name] = torch.from_numpy(a).double()
    return out

folder = sys.argv[1]
c = json.load(open(folder + "/config.json"))
w = load(folder + "/model.safetensors")
heads, d = c["num_attention_heads"], c["hidden_size"] // c["num_attention_heads"]
linear = lambda x, n: F.linear(x, w[n + ".weight"], w[n + ".bias"])
norm = lambda x, n: F.layer_norm(x, (c["hidden_size"],), w[n + ".weight"], w[n + ".bias"], c["layer_norm_eps"])

def forward(ids, types):
    hidden = {}
    def keep(name, x):
        hidden[name] = (x if len(ids) <= 8 else x[:1]).tolist()
        return x
    e = "bert.embeddings."
    x = w[e + "word_embeddings.weight"][ids] + w[e + "token_type_embeddings.weight"][types] + w[e + "position_embeddings.weight"][:len(ids)]
    x = keep("embed", norm(x, e + "LayerNorm"))
    for l in range(c["num_hidden_layers"]):
        p = f"bert.encoder.layer.{l}."
        q, k, v = (linear(x, p + "attention.self." + n).view(-1, heads, d).transpose(0, 1) for n in ("query", "key", "value"))
        a = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(d), -1) @ v
        a = a.transpose(0, 1).reshape(x.shape)
        x = keep(f"layer {l} attention", norm(linear(a, p + "attention.output.dense") + x, p + "attention.output.LayerNorm"))
        y = linear(x, p + "intermediate.dense")
        y = y / 2 * (1 + torch.erf(y / math.sqrt(2)))
        x = keep(f"layer {l} feed-forward", norm(linear(y, p + "output.dense") + x, p + "output.LayerNorm"))
    logit = linear(torch.tanh(linear(x[0], "bert.pooler.dense")), "classifier")
    return hidden, logit.item()

rng = np.random.Generator(np.random.PCG64(1))
sequences = []
for n in [1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 47, 63, 64]:
    ids = rng.integers(0, c["vocab_size"], n).tolist()
    second = int(rng.integers(0, n + 1))
    types = [0] * second + [1] * (n - second)
    hidden, logit = forward(torch.tensor(ids), torch.tensor(types))
    sequences.append({"input_ids": ids, "token_type_ids": types, "logit": logit, "hidden": hidden})

vocab = {w: i for i, w in enumerate(open(folder + "/vocab.txt", encoding="utf-8").read().splitlines())}

def pieces(word):
    ids, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start and ("##" if start else "") + word[start:end] not in vocab:
            end -= 1
        if end == start:
            return [vocab["[UNK]"]]
        ids.append(vocab[("##" if start else "") + word[start:end]])
        start = end
    return ids

def tokens(text):
    return [i for word in re.findall("[a-z0-9]+|[!-~]", text.lower()) for i in pieces(word)]

pairs = []
for query, passage in [
    ("How much is it?", "It is 42 dollars, or less in May."),
    ("How much is it?", "Nobody was there before us."),
    ("what is the most she could do without them", "Between you and me: there was nothing (or almost nothing) that she couldn't do by herself."),
    ("WHO", "They were seven, and the third of them had been here in 1987-88."),
    ("km per hour", "60 mph = 96.56 km/h"),
    ("", "The query before this is empty."),
    ("the passage after this is empty", ""),
    ("unhappiness~re-do", "e-mail: who@no.com; http://www.the.org/?q=1&r=2#top"),
]:
    a, b = tokens(query), tokens(passage)
    ids = [vocab["[CLS]"]] + a + [vocab["[SEP]"]] + b + [vocab["[SEP]"]]
    types = [0] * (len(a) + 2) + [1] * (len(b) + 1)
    assert len(ids) <= c["max_position_embeddings"], (query, len(ids))
    pairs.append({"query": query, "passage": passage, "input_ids": ids, "token_type_ids": types,
                  "logit": forward(torch.tensor(ids), torch.tensor(types))[1]})

json.dump({"sequences": sequences, "pairs": pairs}, sys.stdout)
print()
