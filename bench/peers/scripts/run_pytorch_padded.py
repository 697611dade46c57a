"""PyTorch as the seed ran it: batches in the order of the file, padded to their longest."""

import time

from peer import serve


class Peer:
    packages = ["torch", "transformers"]

    def open(self, opening):
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        torch.set_num_threads(opening["threads"])
        torch.set_grad_enabled(False)
        self.batch = opening["batch"]
        self.tokenizer = AutoTokenizer.from_pretrained(opening["model"])
        self.model = AutoModelForSequenceClassification.from_pretrained(
            opening["model"], dtype={"f32": torch.float32, "bf16": torch.bfloat16}[opening["precision"]]
        ).eval()
        self.longest = min(self.tokenizer.model_max_length, self.model.config.max_position_embeddings)
        return {"input": "text", "unit": f"batch of {self.batch}", "how": f"batches of {self.batch} in file order, one after the other, padded to the longest of each; tokenization is in the time"}

    def take(self, rows):
        self.pairs = [(row["query"], row["passage"]) for row in rows]

    def score(self, first, last):
        scores, seconds = [], []
        for at in range(first, last, self.batch):
            begun = time.perf_counter()
            pairs = self.pairs[at : min(at + self.batch, last)]
            inputs = self.tokenizer(
                [query for query, _ in pairs], [passage for _, passage in pairs],
                padding=True, truncation=True, max_length=self.longest, return_tensors="pt",
            )
            scores += self.model(**inputs).logits[:, 0].float().tolist()
            seconds.append(time.perf_counter() - begun)
        return scores, seconds


serve(Peer())
