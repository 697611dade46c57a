"""ONNX Runtime at its best on processors: no padding, one pair at a time, and as many processes
of one thread as there are threads: better than threads in one process, and much better than one
call of several threads. int8 is its own dynamic quantization, per channel."""

import multiprocessing
import time
from importlib import metadata

from export import make_onnx, onnx_path
from peer import feed, once, serve, to_embed


def new_session(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def share(session, feeds, following, last):
    """Scores the pair that is next, until there are no more before last."""
    done = []
    while True:
        with following.get_lock():
            at = following.value
            following.value += 1
        if at >= last:
            return done
        begun = time.perf_counter()
        output = session.run(None, feeds[at])[0].reshape(-1)
        done.append((at, output, time.perf_counter() - begun))


def helper(path, rows, following, pipe):
    session, feeds = new_session(path), [feed(row) for row in rows]
    pipe.send("ready")
    while True:
        pipe.send(share(session, feeds, following, pipe.recv()))


class Peer:
    packages = ["onnxruntime"]

    def __init__(self):
        self.helpers = None

    def path_of(self, opening):
        path = onnx_path(opening)
        if opening["precision"] == "int8":
            path = path.removesuffix(".onnx") + f"-onnxruntime-{metadata.version('onnxruntime')}-int8.onnx"
        return path

    def prepare(self, opening, _):
        import onnxruntime  # missing is missing, before anything is made

        source = make_onnx(opening)
        if opening["precision"] == "int8":
            from onnxruntime.quantization import QuantType, quantize_dynamic

            once(self.path_of(opening), lambda path: quantize_dynamic(source, path, weight_type=QuantType.QInt8, per_channel=True))

    def open(self, opening):
        self.path, self.threads = self.path_of(opening), opening["threads"]
        self.session = new_session(self.path)
        self.result = (lambda output: output) if to_embed(opening) else (lambda output: float(output[0]))
        quantized = ", quantize_dynamic per channel" if opening["precision"] == "int8" else ""
        unit = "text" if to_embed(opening) else "pair"
        return {"input": "ids", "unit": unit, "how": f"one {unit} at a time, no padding, processes of one thread each: {self.threads}{quantized}"}

    def take(self, rows):
        self.rows, self.feeds = rows, [feed(row) for row in rows]

    def start_helpers(self):
        # Anew and not forked, since a session does not survive a fork.
        anew = multiprocessing.get_context("spawn")
        self.following, self.helpers = anew.Value("q", 0), []
        for _ in range(self.threads - 1):
            pipe, other = anew.Pipe()
            anew.Process(target=helper, args=(self.path, self.rows, self.following, other), daemon=True).start()
            other.close()
            self.helpers.append(pipe)
        for pipe in self.helpers:
            pipe.recv()

    def score(self, first, last):
        if self.helpers is None:
            if last - first == 1:  # the first score, which one process has soonest
                begun = time.perf_counter()
                output = self.session.run(None, self.feeds[first])[0].reshape(-1)
                return [self.result(output)], [time.perf_counter() - begun]
            self.start_helpers()
        self.following.value = first
        for pipe in self.helpers:
            pipe.send(last)
        done = share(self.session, self.feeds, self.following, last)
        for pipe in self.helpers:
            done += pipe.recv()  # of a helper that has died: EOFError
        done.sort(key=lambda one: one[0])
        return [self.result(output) for _, output, _ in done], [took for _, _, took in done]


if __name__ == "__main__":  # a helper imports this file, too
    serve(Peer())
