#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records the ids that llama.cpp gives to the texts of texts/ with the demo model's vocabulary.

usage: record_vocabulary.py LLAMA_TOKENIZE_COMMAND MODEL.gguf
  LLAMA_TOKENIZE_COMMAND  runs llama-tokenize, as in "path/to/llama-cpp llama-tokenize"
  MODEL.gguf              models/edgemoe-demo-q8_0.gguf

The vocabulary was trained with qwen2; it is also given the name of each other pre-tokenizer, some of which cut these
texts as qwen2 does. Of the ids their number and a hash are kept, in vocabulary_golden.json beside this script.
vocabulary.gguf, with the vocabulary and no tensors, is written to the current folder and removed.
"""
import json
import pathlib
import shlex
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PRES = ["qwen2", "gpt-2", "olmo", "gpt-4o", "dbrx", "smaug-bpe", "glm4", "deepseek-llm"]
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # of GGUF's types
TEXT, ARRAY = 8, 9


def packed_text(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        value, = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self):
        length = self.number("<Q")
        self.at += length
        return self.data[self.at - length:self.at].decode("utf-8", "replace")

    def skip(self, kind):
        if kind == ARRAY:
            kind, count = self.number("<I"), self.number("<Q")
            for _ in range(count):
                self.skip(kind)
        elif kind == TEXT:
            self.text()
        else:
            self.at += SIZES[kind]

    def keys(self):
        """Each key's type and value as the file has them."""
        assert self.data[:8] == b"GGUF\3\0\0\0", "GGUF 3 is expected"
        self.at = 16
        keys = {}
        for _ in range(self.number("<Q")):
            name, begin = self.text(), self.at
            self.skip(self.number("<I"))
            keys[name] = self.data[begin:self.at]
        return keys


def write_vocabulary(path, keys, pre):
    keys = {name: value for name, value in keys.items() if name.startswith("tokenizer.")}
    keys["general.architecture"] = struct.pack("<I", TEXT) + packed_text("gpt2")
    keys["tokenizer.ggml.pre"] = struct.pack("<I", TEXT) + packed_text(pre)
    head = struct.pack("<4sIQQ", b"GGUF", 3, 0, len(keys))
    path.write_bytes(head + b"".join(packed_text(name) + value for name, value in keys.items()))


def llama_ids(command, model, text):
    args = [*shlex.split(command), "-m", str(model), "-f", str(text), "--ids", "--no-escape", "--log-disable"]
    out = subprocess.run(args, check=True, capture_output=True, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def fnv1a(ids):
    """Over the ids, each as 4 bytes, lowest first."""
    value = 0xcbf29ce484222325
    for byte in struct.pack(f"<{len(ids)}i", *ids):
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return f"{value:016x}"


def main():
    llama, model = sys.argv[1:3]
    keys = Reader(pathlib.Path(model).read_bytes()).keys()
    vocabulary = pathlib.Path("vocabulary.gguf")
    golden = []
    for pre in PRES:
        write_vocabulary(vocabulary, keys, pre)
        for text in sorted((HERE / "texts").glob("*.txt")):
            ids = llama_ids(llama, vocabulary, text)
            golden.append({"pre": pre, "text": text.name, "count": len(ids), "fnv1a": fnv1a(ids)})
    vocabulary.unlink()
    lines = ",\n".join(json.dumps(one) for one in golden)
    (HERE / "vocabulary_golden.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


main()
