"""Trains the example models on the breast cancer data that ships inside scikit-learn, and writes them beside this file.

Same versions (requirements.txt) and same seeds give the same files, byte for byte. Run it in a virtual environment:

    python3 -m venv /tmp/train && /tmp/train/bin/pip install -r requirements.txt && /tmp/train/bin/python train.py
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
SEED = 20260101
OPSET = {"": 18, "ai.onnx.ml": 3}
REFERENCE_ROWS = 8


def to_onnx(name, model):
    converted = convert_sklearn(
        model,
        name=name,  # the default is a new random one every time
        initial_types=[("X", FloatTensorType([None, 30]))],
        options={"zipmap": False},
        target_opset=OPSET,
    )
    converted.ir_version = 9
    return converted


def constant(name, array):
    return numpy_helper.from_array(array, name)


def replace_probabilities(model, nodes, initializers, value):
    """Renames the model's `probabilities` to `base_probabilities` and answers base + `value` (shape [1]) instead."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    for node in model.graph.node:
        node.output[:] = ["base_probabilities" if name == "probabilities" else name for name in node.output]
        node.input[:] = ["base_probabilities" if name == "probabilities" else name for name in node.input]
    model.graph.initializer.extend(initializers)
    model.graph.node.extend(nodes)
    model.graph.node.append(helper.make_node("Add", ["base_probabilities", value], ["probabilities"]))
    onnx.checker.check_model(model)
    return model


def errors_on_real_data(base):
    """A calibration table with one entry, indexed by the largest feature: fine for zeros (the warm-up), out of range
    for every real row. The mistake is an ordinary one: the table was built from scaled data, the index is not."""
    nodes = [
        helper.make_node("Abs", ["X"], ["magnitude"]),
        helper.make_node("ReduceMax", ["magnitude"], ["largest"], keepdims=0),
        helper.make_node("Cast", ["largest"], ["bucket"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["bucket", "one_element"], ["bucket_index"]),
        helper.make_node("Gather", ["calibration", "bucket_index"], ["correction"]),
    ]
    initializers = [
        constant("one_element", np.array([1], dtype=np.int64)),
        constant("calibration", np.zeros(1, dtype=np.float32)),
    ]
    return replace_probabilities(base, nodes, initializers, "correction")


def slow(base, iterations=80, width=128):
    """The answers of the base model, made expensive: a loop of matrix products whose weighted mean (weight 0) is added."""
    generator = np.random.default_rng(SEED)
    weights = (generator.standard_normal((width, width)) / np.sqrt(width)).astype(np.float32)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["keep_going"], ["keep_going_out"]),
            helper.make_node("MatMul", ["state", "loop_weights"], ["product"]),
            helper.make_node("Tanh", ["product"], ["state_out"]),
        ],
        "iteration",
        [
            helper.make_tensor_value_info("index", TensorProto.INT64, []),
            helper.make_tensor_value_info("keep_going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, [width, width]),
        ],
        [
            helper.make_tensor_value_info("keep_going_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state_out", TensorProto.FLOAT, [width, width]),
        ],
    )
    nodes = [
        helper.make_node("ReduceMean", ["X"], ["mean_of_X"], keepdims=0),
        helper.make_node("Expand", ["mean_of_X", "state_shape"], ["spread"]),
        helper.make_node("Add", ["spread", "loop_weights"], ["state_start"]),
        helper.make_node("Loop", ["iterations", "true", "state_start"], ["state_end"], body=body),
        helper.make_node("ReduceMean", ["state_end"], ["mean_of_state"], keepdims=0),
        helper.make_node("Mul", ["mean_of_state", "nothing"], ["burden"]),
    ]
    initializers = [
        constant("loop_weights", weights),
        constant("state_shape", np.array([width, width], dtype=np.int64)),
        constant("iterations", np.array(iterations, dtype=np.int64)),
        constant("true", np.array(True)),
        constant("nothing", np.zeros(1, dtype=np.float32)),
    ]
    return replace_probabilities(base, nodes, initializers, "burden")


def answers(model, rows):
    """What scikit-learn itself answers: the served ONNX model is held to it."""
    return {
        "label": model.predict(rows).tolist(),
        "probabilities": [round(float(value), 9) for value in model.predict_proba(rows).reshape(-1)],
    }


def infer_request(rows):
    return {
        "inputs": [
            {
                "name": "X",
                "shape": list(rows.shape),
                "datatype": "FP32",
                "data": [float(value) for value in rows.reshape(-1)],
            }
        ]
    }


def main():
    features, target = load_breast_cancer(return_X_y=True)
    train_rows, test_rows, train_target, test_target = train_test_split(
        features.astype(np.float32).astype(np.float64), target, test_size=0.25, random_state=SEED, stratify=target
    )
    # Trained far past the precision of the float32 that is stored: the last bits of other machines' sums do not show.
    regression = make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky", tol=1e-12))
    forest = RandomForestClassifier(n_estimators=32, max_depth=6, random_state=SEED)
    rows = test_rows[:REFERENCE_ROWS].astype(np.float32)
    reference = {"request": infer_request(rows), "answers": {}}
    models = {}
    for name, model in {"v1": regression, "v2": forest}.items():
        model.fit(train_rows, train_target)
        print(f"{name}: accuracy on held-out rows {model.score(test_rows, test_target):.3f}")
        models[name] = to_onnx(name, model)
        reference["answers"][name] = answers(model, rows.astype(np.float64))
    models["slow"] = slow(models["v1"])
    reference["answers"]["slow"] = reference["answers"]["v1"]
    models["errors-on-real-data"] = errors_on_real_data(models["v1"])
    for name, model in models.items():
        onnx.save(model, HERE / f"{name}.onnx")
    serialized = models["v1"].SerializeToString()
    (HERE / "broken.onnx").write_bytes(serialized[: len(serialized) * 6 // 10])
    (HERE / "sample-request.json").write_text(json.dumps(infer_request(rows[:1]), indent=2) + "\n")
    (HERE / "reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
