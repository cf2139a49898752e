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
import struct
import sys

import recording

HERE = pathlib.Path(__file__).resolve().parent
PRES = [
    "qwen2", "gpt-2", "olmo", "gpt-4o", "dbrx", "smaug-bpe", "glm4", "deepseek-llm", "qwen35", "llama-bpe", "tekken",
    "bailingmoe2", "deepseek-coder", "deepseek-v3", "starcoder", "falcon", "default", "minicpm5", "exaone-moe", "laguna",
    "seed-coder", "superbpe", "afmoe",
]
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # of GGUF's types
TEXT, ARRAY = 8, 9


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
    keys = {name: packed for name, packed in keys.items() if name.startswith("tokenizer.")}
    recording.write_gguf(path, keys | {"tokenizer.ggml.pre": recording.value(recording.TEXT, pre)})


def main():
    llama, model = sys.argv[1:3]
    keys = Reader(pathlib.Path(model).read_bytes()).keys()
    vocabulary = pathlib.Path("vocabulary.gguf")
    golden = []
    for pre in PRES:
        write_vocabulary(vocabulary, keys, pre)
        for text in sorted((HERE / "texts").glob("*.txt")):
            ids = recording.llama_ids(llama, vocabulary, text)
            golden.append({"pre": pre, "text": text.name, "count": len(ids), "fnv1a": recording.fnv1a(ids)})
    vocabulary.unlink()
    lines = ",\n".join(json.dumps(one) for one in golden)
    (HERE / "vocabulary_golden.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


main()
