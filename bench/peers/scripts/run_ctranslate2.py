"""CTranslate2. It has no cross-encoders: its Encoder gives BERT's hidden states and pooled
vector, and the classifier, a product of one row with each, is numpy's here."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata

from peer import serve

BATCH = 16  # sorted by length, so that little is padded; measured better than 32


class Peer:
    packages = ["ctranslate2"]

    def folder(self, opening):
        return os.path.join(opening["cache"], f"ctranslate2-{metadata.version('ctranslate2')}-transformers-{metadata.version('transformers')}")

    def prepare(self, opening, _):
        import ctranslate2  # missing is missing, before anything is made
        import numpy as np
        import torch
        from transformers import AutoModel, AutoModelForSequenceClassification

        folder = self.folder(opening)
        if os.path.exists(folder + "/head.npz"):
            return
        from ctranslate2.converters import TransformersConverter

        # Only the encoder is asked for; the checkpoint's classifier is left out of it.
        TransformersConverter(opening["model"]).convert(folder, quantization="float32", force=True)
        model = AutoModelForSequenceClassification.from_pretrained(opening["model"], dtype=torch.float32)
        np.savez(
            folder + "/unfinished.npz",
            weight=model.classifier.weight.detach().numpy()[0], bias=model.classifier.bias.detach().numpy()[0],
        )
        os.replace(folder + "/unfinished.npz", folder + "/head.npz")

    def open(self, opening):
        import ctranslate2
        import numpy as np

        threads = opening["threads"]
        head = np.load(self.folder(opening) + "/head.npz")
        self.weight, self.bias = head["weight"], head["bias"]
        self.encoder = ctranslate2.Encoder(
            self.folder(opening), device="cpu", inter_threads=threads, intra_threads=1,
            compute_type={"f32": "float32", "bf16": "bfloat16", "int8": "int8_float32"}[opening["precision"]],
        )
        self.callers = ThreadPoolExecutor(threads)
        return {"input": "ids", "unit": f"batch of {BATCH}", "how": f"the Encoder alone, sorted by length, batches of {BATCH}, {threads} at once of a thread each; the classifier is numpy's"}

    def take(self, rows):
        self.rows = rows

    def one(self, batch):
        import numpy as np

        begun = time.perf_counter()
        output = self.encoder.forward_batch(
            [row["ids"] for _, row in batch], token_type_ids=[row["types"] for _, row in batch]
        )
        logits = np.asarray(output.pooler_output) @ self.weight + self.bias
        return logits, time.perf_counter() - begun

    def score(self, first, last):
        order = sorted(range(first, last), key=lambda at: len(self.rows[at]["ids"]))
        batches = [[(at, self.rows[at]) for at in order[k : k + BATCH]] for k in range(0, len(order), BATCH)]
        scores, seconds = [0.0] * (last - first), []
        for batch, (logits, took) in zip(batches, self.callers.map(self.one, batches)):
            for (at, _), logit in zip(batch, logits):
                scores[at - first] = float(logit)
            seconds.append(took)
        return scores, seconds


serve(Peer())
