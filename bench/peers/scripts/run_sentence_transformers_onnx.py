"""sentence-transformers with backend="onnx": its own export, and for int8 its own dynamic
quantization of that."""

from embedding_onnx import make_onnx_folder, make_quantized, onnx_folder, quantized_name
from peer import serve


class Peer:
    packages = ["sentence-transformers", "optimum-onnx", "onnxruntime"]

    def prepare(self, opening, _):
        import onnxruntime  # missing is missing, before anything is made
        import optimum.onnxruntime

        make_onnx_folder(opening)
        if opening["precision"] == "int8":
            make_quantized(opening)

    def open(self, opening):
        import onnxruntime
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(opening["threads"])
        self.batch = opening["batch"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = opening["threads"]
        name, quantized = "onnx/model.onnx", ""
        if opening["precision"] == "int8":
            name, quantized = f"onnx/model_qint8_{quantized_name()}.onnx", ", quantized by export_dynamic_quantized_onnx_model"
        self.model = SentenceTransformer(
            onnx_folder(opening), device="cpu", backend="onnx",
            model_kwargs={"file_name": name, "provider": "CPUExecutionProvider", "session_options": options},
        )
        return {"input": "text", "unit": "", "how": f"SentenceTransformer.encode of all texts, backend=\"onnx\", batch_size={self.batch}: it sorts by length and pads each batch{quantized}"}

    def take(self, rows):
        self.texts = [row["text"] for row in rows]

    def score(self, first, last):
        return self.model.encode(self.texts[first:last], batch_size=self.batch, show_progress_bar=False), None


serve(Peer())
