#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records the ids that llama.cpp gives with vocabularies of other kinds than "gpt2", for models_golden_test.cc.

usage: record_models.py LLAMA_TOKENIZE_COMMAND OUT.json
  LLAMA_TOKENIZE_COMMAND  runs llama-tokenize, as in "path/to/llama-cpp llama-tokenize"

The vocabularies are made here from the texts of record_pre_tokenizers.py, whose golden file the test takes them from,
too. They are written to model.gguf in the current folder. Of a text's ids a hash is kept.
"""
import collections
import functools
import pathlib
import random
import re
import struct
import sys

import recording
from record_pre_tokenizers import GROUPS, hashes
from recording import ARRAY, BOOL, F32, I8, I32, TEXT, U32

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6  # GGUF's types of tokens
MARK = "\u2581"
LEARNED = 500
# What the pre-tokenizers' texts do not have: characters that are replaced, special tokens, runs.
FURTHER = [
    "<s>", "</s> <s>x", "a<sep>b", "a <sep> b <sep>", "<sep><sep>", " <sep>", "[INST] hello [/INST] hello</s>", "\u2581", "a\u2581b",
    "\u2581\u2581 \u2581x", "\ufb01ne \ufb01 \ufb01\ufb01", "\uff21\uff22 \u2460 \u337f", "e\u0301te\u0301 e\u0301\u0302 e", "\u3000\u3000x\u3000",
    "zero\u200bwidth", "\t\tx\ty", "   a   b   ", "a" * 50, "ab" * 40, "   " * 20, "\n" * 7 + "a\n\n\n\nb\n", "<0x41> <0x0A>", "<unk>",
    "\U0001f600\U0001f601 \u4f60\u597d \u0e01\u0e02", "unused<one>", "x  <code>  y    z", "aaaa aaaa", "the the the thethe",
]
TEXTS = {**GROUPS, "further": FURTHER}


def lines():
    """Characters of the texts with marks for spaces. No markup is learned: llama.cpp makes control tokens of text where
    merges lead to them."""
    for group in TEXTS.values():
        for text in group:
            text = re.sub(r"<\S*>|\[\S*\]", "", text)
            yield from (list(line) for line in text.replace(" ", MARK).split("\n") if line)


@functools.cache
def learn():
    """The merges most often seen, in order; some lead over a space."""
    words, merges = list(lines()), {}
    while len(merges) < LEARNED:
        pairs = collections.Counter(pair for word in words for pair in zip(word, word[1:]))
        left, right = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges[left, right] = None
        for word in words:
            for i in range(len(word) - 1, 0, -1):
                if word[i - 1:i + 1] == [left, right]:
                    word[i - 1:i + 1] = [left + right]
    return list(merges)


def characters():
    """Those seen often; what is left falls back to bytes, or is unknown."""
    seen = collections.Counter(c for group in TEXTS.values() for text in group for c in text if c not in " \n")
    return [MARK, *(c for c, count in seen.most_common(300) if c != MARK)]


class Vocabulary:
    """Tokens, and the keys of each file that has them."""

    def __init__(self, *files):
        self.files, self.tokens, self.merges, self.charsmap = files, {}, [], []

    def add(self, tokens, kind, score=lambda i: 0.0):
        for i, token in enumerate(tokens):
            self.tokens.setdefault(token, (kind, score(i)))

    def golden(self):
        tokens, kinds, scores = zip(*((token, *rest) for token, rest in self.tokens.items()))
        return {"tokens": tokens, "types": kinds, "scores": scores, "merges": self.merges, "charsmap": self.charsmap}

    def write(self, path, keys):
        golden = self.golden()
        of_type = {bool: BOOL, int: U32, str: TEXT}
        recording.write_gguf(path, {
            "tokenizer.ggml.tokens": recording.array(TEXT, golden["tokens"]),
            "tokenizer.ggml.token_type": recording.array(I32, golden["types"]),
            "tokenizer.ggml.scores": recording.array(F32, golden["scores"]),
            **({"tokenizer.ggml.merges": recording.array(TEXT, self.merges)} if self.merges else {}),
            **({"tokenizer.ggml.precompiled_charsmap": recording.array(I8, [(b + 128) % 256 - 128 for b in self.charsmap])}
               if self.charsmap else {}),
            **{f"tokenizer.ggml.{key}": recording.value(of_type[type(item)], item) for key, item in keys.items()},
        })


def byte_tokens():
    return [f"<0x{byte:02X}>" for byte in range(256)]


def sentence_piece():
    made = Vocabulary({"model": "llama"},
                      {"model": "llama", "add_space_prefix": False, "add_bos_token": False, "add_eos_token": True})
    made.add(["<unk>"], UNKNOWN)
    made.add(["<s>", "</s>", "[INST]", "[/INST]"], CONTROL)
    made.add(byte_tokens(), BYTE)
    made.add(["<sep>", "<code>", "  "], USER_DEFINED)
    # Two and two have the same score.
    made.add(["".join(pair) for pair in learn()], NORMAL, lambda i: -float(i // 2))
    made.add(["unused", MARK * 2, MARK * 3, MARK * 4], UNUSED, lambda i: -5.5)
    made.add(characters(), NORMAL, lambda i: -1000.0 - i)
    return made


def byte_pairs():
    ids = {"bos_token_id": 2, "eos_token_id": 1, "unknown_token_id": 3}
    made = Vocabulary({"model": "gemma4", "add_bos_token": False, **ids}, {"model": "gpt2", "pre": "sarvam-moe", **ids})
    made.add(["<pad>", "<eos>", "<bos>"], CONTROL)
    made.add(["<unk>"], UNKNOWN)
    made.add(["<s>", "</s>", "[INST]"], CONTROL)
    made.add(["<sep>", "<code>"], USER_DEFINED)
    made.add(["\n", "\n\n", "\n\n\n", "\n\n\n\n\n"], NORMAL)
    made.add(byte_tokens(), BYTE)
    merges = learn()
    made.merges = [" ".join(pair) for pair in merges]
    # Some merges lead to what is no token, or begin with it.
    made.add(["".join(pair) for i, pair in enumerate(merges) if i % 50 < 49 or MARK in "".join(pair)], NORMAL)
    made.add(characters(), NORMAL)
    return made


REPLACED = {"\ufb01": "fi", "\uff21": "A", "\uff22": "B", "\u2460": "1", "\u337f": "\u682a\u5f0f\u4f1a\u793e", "e\u0301": "\u00e9",
            "e\u0301\u0302": "\u1ebf", "\u3000": " ", "\t": " ", "\n": " ", "\r": " ", "\r\n": " ", "\u00a0": " ", "\u200b": "",
            "\u0301": ""}


def double_array(values):
    """Units as Darts-clone has them: bit 31 and a value, or an offset from bit 10 on, bit 8 a leaf, and a label."""
    units, taken, bases = collections.defaultdict(int), {0}, {0}

    def place(node, prefix):
        labels = sorted({key[len(prefix)] if len(key) > len(prefix) else 0 for key in values if key.startswith(prefix)})
        base = next(b for b in range(1, 1 << 20) if b not in bases and all(b ^ label not in taken for label in labels))
        bases.add(base)
        taken.update(base ^ label for label in labels)
        units[node] |= (node ^ base) << 10 | (1 << 8 if 0 in labels else 0)
        for label in labels:
            if label == 0:
                units[base] = 1 << 31 | values[prefix]
            else:
                units[base ^ label] = label
                place(base ^ label, prefix + bytes([label]))

    place(0, b"")
    count = (max(units) | 255) + 1  # whole blocks: no label leads outside
    return struct.pack(f"<{count}I", *(units[i] for i in range(count)))


def charsmap():
    texts, offsets = b"", {}
    for key, replacement in REPLACED.items():
        offsets[key.encode()] = len(texts)
        texts += replacement.encode() + b"\0"
    units = double_array(offsets)
    return list(struct.pack("<I", len(units)) + units + texts)


def unigram():
    made = Vocabulary({"model": "t5"}, {"model": "t5", "add_space_prefix": True},
                      {"model": "t5", "remove_extra_whitespaces": True},
                      {"model": "t5", "add_space_prefix": True, "remove_extra_whitespaces": True, "add_eos_token": False})
    made.add(["<pad>", "</s>"], CONTROL)
    made.add(["<unk>"], UNKNOWN)
    made.add(["<sep>"], USER_DEFINED)
    draw = random.Random(3)
    made.add(["".join(pair) for pair in learn()], NORMAL, lambda i: -2 - round(draw.random() * 8, 1))
    made.add(["unused"], UNUSED, lambda i: -3.5)
    made.add(characters(), NORMAL, lambda i: -9 - round(draw.random() * 3, 1))
    made.charsmap = charsmap()
    return made


def main():
    llama, out = sys.argv[1:3]
    model, golden = pathlib.Path("model.gguf"), []
    for vocabulary in sentence_piece(), byte_pairs(), unigram():
        files = []
        for keys in vocabulary.files:
            vocabulary.write(model, keys)
            texts = [text for group in TEXTS.values() for text in group]
            ids = [[recording.llama_ids(llama, model, text, *options) for text in texts]
                   for options in ([], ["--no-bos", "--no-parse-special"])]
            files.append({"keys": keys, "parsed": hashes(ids[0]), "unparsed": hashes(ids[1])})
            print(keys, file=sys.stderr)
        golden.append({**vocabulary.golden(), "files": files})
    model.unlink()
    recording.write_golden(out, {"further": FURTHER, "vocabularies": golden})


if __name__ == "__main__":
    main()
