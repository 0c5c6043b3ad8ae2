# SPDX-License-Identifier: Apache-2.0
"""What is validated: every candidate of the corpus that a request can carry, with what must come
of it."""
import hashlib
import json
import os

# Mutations that no ValidationParams can carry: the executor's own test feeds them raw.
UNSENDABLE = {"params-truncated", "params-trailing-byte"}
# Those that change how code is run, and one that makes another artifact of it.
PARAMS = (None, [{"MaxMemoryPages": 8192}], [{"StackLogicalMax": 60000}])


class Input:
    """`expected` is the result, in hex; None: the candidate is invalid."""

    def __init__(self, name, code, members, expected):
        self.name, self.code, self.members, self.expected = name, code, members, expected


class Code:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            data = file.read()
        self.size = len(data)
        self.hash = hashlib.blake2b(data, digest_size=32).digest()


def read_hex(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return "0x" + file.read().hex()


def of_candidate(name, folder, code):
    expected = read_hex(folder, "expected_result.scale")
    pieces = {"pvd": {"path": f"{folder}/pvd.scale"}, "pov": {"path": f"{folder}/block_data.bin"}}
    whole = {"params": {"path": f"{folder}/validation_params.scale"}}
    yield Input(name, code, pieces, expected)
    yield Input(f"{name}/whole", code, whole, expected)
    for kind in ("accepted", "invalid"):
        inside = os.path.join(folder, kind)
        for file in sorted(os.listdir(inside)) if os.path.isdir(inside) else ():
            stem, end = os.path.splitext(file)
            if end != ".params" or stem in UNSENDABLE:
                continue
            result = read_hex(inside, f"{stem}.result") if kind == "accepted" else None
            yield Input(f"{name}/{kind}/{stem}", code,
                        {"params": {"path": os.path.join(inside, file)}}, result)


def read(corpus):
    """(inputs, codes by path) of a folder with candidates/ and pvf/, or of tests/data."""
    root = os.path.join(corpus, "candidates")
    root = root if os.path.isdir(root) else corpus
    inputs, codes = [], {}
    for name in sorted(os.listdir(root)):
        folder = os.path.join(root, name)
        if not os.path.exists(os.path.join(folder, "meta.json")):
            continue
        with open(os.path.join(folder, "meta.json"), encoding="utf-8") as file:
            said = json.load(file)["pvf"]
        path = os.path.join(folder, said)
        path = path if os.path.exists(path) else os.path.join(corpus, said)
        if path not in codes:
            codes[path] = Code(path)
        inputs += of_candidate(name, folder, codes[path])
    return inputs, list(codes.values())
