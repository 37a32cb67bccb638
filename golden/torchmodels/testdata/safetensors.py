"""Writing of safetensors files with the standard library."""

import json
import struct

DTYPES = {"torch.float64": "F64", "torch.int32": "I32", "torch.int64": "I64"}


def write(path, tensors, metadata):
    """Writes named tensors, wider elements first so that each is aligned."""
    names = sorted(tensors, key=lambda n: -tensors[n].element_size())
    header, data = {"__metadata__": metadata}, b""
    for name in names:
        t = tensors[name].detach().contiguous()
        raw = t.numpy().tobytes()
        header[name] = {
            "dtype": DTYPES[str(t.dtype)],
            "shape": list(t.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)
