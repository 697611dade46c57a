"""sentence-transformers: CrossEncoder.predict or SentenceTransformer.encode on text, as a user calls
it."""

from peer import serve, to_embed


class Peer:
    packages = ["sentence-transformers", "transformers", "torch"]

    def open(self, opening):
        import torch

        torch.set_num_threads(opening["threads"])
        self.batch = opening["batch"]
        dtype = {"dtype": {"f32": torch.float32, "bf16": torch.bfloat16}[opening["precision"]]}
        if to_embed(opening):
            from sentence_transformers import SentenceTransformer

            self.model = SentenceTransformer(opening["model"], device="cpu", model_kwargs=dtype)
            self.take, self.work, called = self.take_texts, self.model.encode, "SentenceTransformer.encode of all texts"
        else:
            from sentence_transformers import CrossEncoder

            self.model = CrossEncoder(opening["model"], device="cpu", activation_fn=torch.nn.Identity(), model_kwargs=dtype)
            self.work, called = self.model.predict, "CrossEncoder.predict of all pairs"
        return {"input": "text", "unit": "", "how": f"{called}, batch_size={self.batch}: it sorts by length and pads each batch"}

    def take(self, rows):
        self.inputs = [(row["query"], row["passage"]) for row in rows]

    def take_texts(self, rows):
        self.inputs = [row["text"] for row in rows]

    def score(self, first, last):
        return self.work(self.inputs[first:last], batch_size=self.batch, show_progress_bar=False), None


serve(Peer())
