"""The process that serves one model, as AWS's framework containers do with a script: run by path, no imports of ours.

Reads frames from standard input and writes frames to standard output: four bytes of length, a JSON header, a newline,
the body. The first frame it writes says whether the model was loaded. The model's own prints go to standard error.

The contract of the script (``code/inference.py`` of ``model.tar.gz``) is the one of the SageMaker inference toolkit:
``model_fn(model_dir)``, and optionally ``input_fn(body, content_type)``, ``predict_fn(data, model)`` and
``output_fn(prediction, accept)``, or ``transform_fn(model, body, content_type, accept)`` in their place.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import struct
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

JSON = "application/json"
CSV = "text/csv"
UTF8 = (JSON, CSV)
MAX_MESSAGE = 1024


class Unsupported(Exception):
    """The default functions know neither this content type nor this answer type."""

    status_code = 415


def main() -> int:
    """Load the model, then answer one request after another until standard input ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    model_dir = Path(sys.argv[1])
    try:
        script = load_script(model_dir)
        model = script.model_fn(str(model_dir)) if hasattr(script, "model_fn") else None
    except BaseException as error:
        traceback.print_exc()
        write(answers, {"ok": False, "reason": f"{type(error).__name__}: {error}"[:MAX_MESSAGE]}, b"")
        return 1
    write(answers, {"ok": True}, b"")
    while True:
        frame = read(requests)
        if frame is None:
            return 0
        header, body = frame
        write(answers, *answer(script, model, header, body))


def load_script(model_dir: Path) -> ModuleType:
    """Import the script as a module, its folder on the path as in the container."""
    code = model_dir / "code"
    path = code / os.environ.get("SAGEMAKER_PROGRAM", "inference.py")
    if not path.is_file():
        raise FileNotFoundError(f"model.tar.gz has no code/{path.name}")
    sys.path.insert(0, str(code))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    if not hasattr(module, "model_fn") and not hasattr(module, "transform_fn"):
        raise NotImplementedError(f"{path.name} has no model_fn")
    return module


def answer(script: ModuleType, model: Any, header: dict[str, str], body: bytes) -> tuple[dict[str, Any], bytes]:
    """One prediction: status, content type and body; an exception of the script is its status and message."""
    content_type, accept = header.get("content_type") or JSON, header.get("accept") or JSON
    accept = JSON if accept in {"*/*", ""} else accept
    try:
        text_or_bytes = body.decode("utf-8") if content_type.split(";")[0].strip() in UTF8 else body
        if hasattr(script, "transform_fn"):
            result = script.transform_fn(model, text_or_bytes, content_type, accept)
        else:
            data = getattr(script, "input_fn", decode)(text_or_bytes, content_type)
            prediction = getattr(script, "predict_fn", predict)(data, model)
            result = getattr(script, "output_fn", encode)(prediction, accept)
    except Exception as error:
        traceback.print_exc()
        status = getattr(error, "status_code", 500)
        message = str(getattr(error, "message", "") or error) or type(error).__name__
        return {"status": status if isinstance(status, int) else 500, "message": message[:MAX_MESSAGE]}, b""
    given, kind = result if isinstance(result, tuple) else (result, accept)
    return {"status": 200, "content_type": kind}, given if isinstance(given, bytes) else str(given).encode()


def decode(body: Any, content_type: str) -> Any:
    """The toolkit's default for JSON and CSV."""
    kind = content_type.split(";")[0].strip()
    if kind == JSON:
        return json.loads(body)
    if kind == CSV:
        return [[float(cell) for cell in row] for row in csv.reader(io.StringIO(body)) if row]
    raise Unsupported(f"Content type {content_type} is not supported by this framework.")


def predict(data: Any, model: Any) -> Any:
    """The framework's default."""
    return model.predict(data)


def encode(prediction: Any, accept: str) -> tuple[str, str]:
    """The toolkit's default for JSON and CSV."""
    plain = prediction.tolist() if hasattr(prediction, "tolist") else prediction
    if accept == JSON:
        return json.dumps(plain), accept
    if accept == CSV:
        rows = plain if isinstance(plain, list) else [plain]
        lines = [",".join(str(cell) for cell in (row if isinstance(row, list) else [row])) for row in rows]
        return "\n".join(lines), accept
    raise Unsupported(f"Accept type {accept} is not supported by this framework.")


def write(stream: BinaryIO, header: dict[str, Any], body: bytes) -> None:
    """Write one frame."""
    frame = json.dumps(header).encode() + b"\n" + body
    stream.write(struct.pack(">I", len(frame)) + frame)
    stream.flush()


def read(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; None at the end."""
    size = stream.read(4)
    if len(size) < 4:
        return None
    header, _, body = stream.read(struct.unpack(">I", size)[0]).partition(b"\n")
    found: dict[str, Any] = json.loads(header)
    return found, body


if __name__ == "__main__":
    sys.exit(main())
