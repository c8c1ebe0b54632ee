"""Writes the tabular model of the benchmarks: a random forest of 50 trees. Usage: forest.py FILE"""

import sys
from pathlib import Path

from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

rows, target = load_breast_cancer(return_X_y=True)
forest = RandomForestClassifier(n_estimators=50, random_state=20260101).fit(rows, target)
model = convert_sklearn(
    forest,
    name="forest",
    initial_types=[("X", FloatTensorType([None, 30]))],
    options={"zipmap": False},
    target_opset={"": 18, "ai.onnx.ml": 3},
)
Path(sys.argv[1]).write_bytes(model.SerializeToString())
