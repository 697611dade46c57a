"""sentence-transformers: CrossEncoder.predict on text, as a user calls it."""

from peer import serve


class Peer:
    packages = ["sentence-transformers", "transformers", "torch"]

    def open(self, opening):
        import torch
        from sentence_transformers import CrossEncoder

        torch.set_num_threads(opening["threads"])
        self.batch = opening["batch"]
        self.model = CrossEncoder(
            opening["model"], device="cpu", activation_fn=torch.nn.Identity(),
            model_kwargs={"dtype": {"f32": torch.float32, "bf16": torch.bfloat16}[opening["precision"]]},
        )
        return {"input": "text", "unit": "", "how": f"CrossEncoder.predict of all pairs, batch_size={self.batch}: it sorts by length and pads each batch"}

    def take(self, rows):
        self.pairs = [(row["query"], row["passage"]) for row in rows]

    def score(self, first, last):
        return self.model.predict(self.pairs[first:last], batch_size=self.batch, show_progress_bar=False), None


serve(Peer())
