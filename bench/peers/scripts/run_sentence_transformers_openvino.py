"""sentence-transformers with backend="openvino": its own export. int8 is by nncf, as
export_static_quantized_openvino_model does it, but calibrated with texts that are not measured:
its own data would be fetched."""

import hashlib
import json
import os
import sys
from importlib import metadata

# As in run_openvino.py: figures of use are sent where this can be imported.
sys.modules["openvino_telemetry"] = None

from peer import feed, once, serve


class Peer:
    packages = ["sentence-transformers", "optimum-intel", "openvino"]

    def folder(self, opening):
        versions = "-".join(f"{name}-{metadata.version(name)}" for name in self.packages)
        return os.path.join(opening["cache"], versions)

    def prepare(self, opening, rows):
        import openvino  # missing is missing, before anything is made
        import optimum.intel

        def export(path):
            from sentence_transformers import SentenceTransformer

            model = SentenceTransformer(opening["model"], device="cpu", backend="openvino", model_kwargs={"export": True})
            model.save_pretrained(path)

        source = once(self.folder(opening), export)
        if opening["precision"] != "int8":
            return
        texts = hashlib.sha256(json.dumps([row["ids"] for row in rows]).encode()).hexdigest()[:12]
        name = f"openvino_model_qint8_{texts}.xml"
        path = os.path.join(source, "openvino", name)
        if not os.path.exists(path):
            import nncf

            model = openvino.Core().read_model(os.path.join(source, "openvino", "openvino_model.xml"))
            openvino.save_model(nncf.quantize(
                model, nncf.Dataset(rows, feed), model_type=nncf.ModelType.TRANSFORMER,
                subset_size=len(rows), preset=nncf.QuantizationPreset.MIXED,
            ), path, compress_to_fp16=False)
        with open(os.path.join(source, "int8.json"), "w", encoding="utf-8") as file:
            json.dump(name, file)

    def open(self, opening):
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(opening["threads"])
        self.batch = opening["batch"]
        folder, name, quantized = self.folder(opening), "openvino_model.xml", ""
        if opening["precision"] == "int8":
            with open(os.path.join(folder, "int8.json"), encoding="utf-8") as file:
                name, quantized = json.load(file), ", quantized by nncf"
            self.packages = self.packages + ["nncf"]
        self.model = SentenceTransformer(
            folder, device="cpu", backend="openvino",
            model_kwargs={"file_name": "openvino/" + name, "ov_config": {"INFERENCE_NUM_THREADS": opening["threads"], "INFERENCE_PRECISION_HINT": "f32"}},
        )
        return {"input": "text", "unit": "", "how": f"SentenceTransformer.encode of all texts, backend=\"openvino\", batch_size={self.batch}: it sorts by length and pads each batch{quantized}"}

    def take(self, rows):
        self.texts = [row["text"] for row in rows]

    def score(self, first, last):
        return self.model.encode(self.texts[first:last], batch_size=self.batch, show_progress_bar=False), None


serve(Peer())
