"""fastembed: ONNX Runtime below its own tokenization and pooling. The graph is sentence-transformers'
own export; fastembed has means or the first rows of unit length, and no other modules."""

import json
import os

from embedding_onnx import make_onnx_folder, onnx_folder
from peer import serve


class Peer:
    packages = ["fastembed", "onnxruntime"]

    def prepare(self, opening, _):
        import fastembed  # missing is missing, before anything is made
        from sentence_transformers import SentenceTransformer

        folder = make_onnx_folder(opening)
        model = SentenceTransformer(opening["model"], device="cpu")
        kinds = [type(module).__name__ for module in model]
        pooling = getattr(model[1], "pooling_mode", None)
        if kinds != ["Transformer", "Pooling", "Normalize"] or pooling not in ("mean", "cls"):
            raise ValueError(f"fastembed has no such modules: {kinds}, pooling {pooling}")
        # It cuts texts at this one of the lengths that a checkpoint has.
        path = os.path.join(folder, "tokenizer_config.json")
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        config["model_max_length"] = model.max_seq_length
        config.pop("max_length", None)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        with open(os.path.join(folder, "fastembed.json"), "w", encoding="utf-8") as file:
            json.dump({"pooling": pooling, "dim": model[1].get_embedding_dimension()}, file)

    def open(self, opening):
        from fastembed import TextEmbedding
        from fastembed.common.model_description import ModelSource, PoolingType

        folder, name = onnx_folder(opening), "measured/here"
        with open(os.path.join(folder, "fastembed.json"), encoding="utf-8") as file:
            made = json.load(file)
        self.batch = opening["batch"]
        TextEmbedding.add_custom_model(
            model=name, pooling={"mean": PoolingType.MEAN, "cls": PoolingType.CLS}[made["pooling"]], normalization=True,
            sources=ModelSource(hf=name), dim=made["dim"], model_file="onnx/model.onnx",
        )
        self.model = TextEmbedding(name, specific_model_path=folder, threads=opening["threads"], providers=["CPUExecutionProvider"])
        return {"input": "text", "unit": "", "how": f"TextEmbedding.embed of all texts, batch_size={self.batch}: in file order, padded to the longest of each batch"}

    def take(self, rows):
        self.texts = [row["text"] for row in rows]

    def score(self, first, last):
        return list(self.model.embed(self.texts[first:last], batch_size=self.batch)), None


serve(Peer())
