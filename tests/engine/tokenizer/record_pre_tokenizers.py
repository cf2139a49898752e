#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records the ids that llama.cpp and OpenAI's tiktoken give, for pre_tokenizer_golden_test.cc.

usage: record_pre_tokenizers.py LLAMA_TOKENIZE_COMMAND NODE_MODULES OUT.json
  LLAMA_TOKENIZE_COMMAND  runs llama-tokenize, as in "path/to/llama-cpp llama-tokenize"
  NODE_MODULES            holds npm's package tiktoken; node is needed, too

The vocabulary is made here: all bytes, and tokens learned from the texts without splitting them into words, so that
nearly every wrong border between two words gives other ids. It is written to pre.gguf in the current folder, once for
each pre-tokenizer.
"""
import collections
import json
import pathlib
import random
import re
import shlex
import struct
import subprocess
import sys
import tempfile

LEARNED = 700  # from each kind of texts
PRES = ["qwen2", "gpt-2", "olmo", "gpt-4o", "dbrx", "smaug-bpe", "glm4", "deepseek-llm"]
USER_DEFINED = ["   ", "     ", "        "]  # as the runs of spaces of OLMoE's vocabulary
CONTROL = [
    "<|endoftext|>", "<|return|>", "<|constrain|>", "<|channel|>", "<|start|>", "<|end|>", "<|message|>", "<|call|>"]
TEXTS = [
    "", " ", "  ", "\t", "\n", "\n\n", "\r\n", "\r\n\r\n", " \n", "\n ", "\t\n \r\n", "x ", "x  ", "x \n", "x\n\n y",
    "x\t\ty", "it's I'm you'll we've they'd don't you're", "IT'S I'M YOU'LL WE'VE THEY'D DON'T YOU'RE",
    "It'S i'Ll 'tis ''s 'S 's", "'x 'llama 'revenge 'd", "it\u2019s he\u2019ll", "it'\u017f",
    "l'\u00e9t\u00e9 aujourd'hui", "CamelCase camelCase CAMELCase HTTPServer XMLHttpRequest iPhone eBAY McDonald",
    "snake_case kebab-case dot.case a.b.c A1B2c3", "1 12 123 1234 12345 1234567",
    "3.14 1,000,000 2024-03-05 12:30:59", "1st 2nd 100% $5.00 #42",
    "\u0661\u0662\u0663\u0664 \u0967\u0968\u0969\u096a \u00bd\u00b2 \u2163", "a\u00bdb x\u00b2+y\u00b2",
    "Hello, world! How are you?", "(a) [b] {c} <d> \"e\" 'f' `g`", "!!! ... ?!?! --- ===", "a!\nb?\r\nc.\n\nd;\n",
    "}\n\n}\n//\n", "/usr/local/bin and/or http://x.y/z?a=b&c=d", "//// comment\n/* x */\n", "-->\n<!-- \n",
    "    indented\n        more\n\tTab\n", "for (int i = 0; i < 10; ++i) {\n    sum += x[i];\n}\n",
    "def f(x):\n    return {'a': x['b'], \"c\": 1}\n", "x" + " " * 40 + "y", " " * 17, "a" + "\n" * 9 + "b",
    "trailing   ", "  leading", "a \u3000b\u3000\u3000c", "a\u00a0b\u2003c \u2028d", "a\u180eb",
    "\u4f60\u597d\uff0c\u4e16\u754c\uff01123\u4e2a", "\u6771\u4eac\u30bf\u30ef\u30fc\u3068Tokyo Tower",
    "\ud55c\uad6d\uc5b4 \ubb38\uc7a5\uc785\ub2c8\ub2e4.",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u041f\u0420\u0418\u0412\u0415\u0422",
    "\u041f\u0440\u0438\u0432\u0435\u0442\u041c\u0438\u0440",
    "\u0393\u03b5\u03b9\u03ac \u03a3\u03bf\u03c5 \u039a\u038c\u03a3\u039c\u0395",
    "stra\u00dfeGr\u00f6\u00dfe \u00c9T\u00c9\u00e9t\u00e9", "\u01c5ungla \u02b0x \u00aa\u00ba",
    "e\u0301te\u0301 E\u0301TE\u0301 n\u0303", "\u0301lone \u0301\u0302",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060c 12",
    "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd",
    "\U0001f600\U0001f680 \U0001f468\u200d\U0001f469\u200d\U0001f467 ok\ufe0f",
    "\U0001f1e9\U0001f1ea! \u2714\ufe0f done", "a\u200bb\ufeffc", "\ud7ff\ue000\U0010ffff",
    "mixed \u4e2d\u6587and\u0420\u0443\u0441\u0441\u043a\u0438\u0439AND\u65e5\u672c\u8a9e",
    "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
    "<|start| <|endoftext|>\n<|endoftext|>",
    "<|channel|>commentary to=functions.x <|constrain|>json<|message|>{}<|call|>",
]
# What the texts drawn at random are made of. Special tokens stand in TEXTS only, as do spaces from U+1680 on, which
# llama.cpp takes for plain ones and deepseek-llm's last but one pattern does not.
PARTS = [
    *[" "] * 12, *["\n"] * 4, "  ", "   ", "\t", "\r\n", "\n\n", " \n", "\u00a0", "\u0085",
    *"aZq", "the", "The", "THE", "ll", "iPhone", "\u00e9", "\u00dfen", "\u0416\u0443", "\u043c\u0438\u0440", "\u0391\u03b8",
    "\u4f60\u597d", "\u6771", "\u30bf\u30ef", "\u3072", "\ud55c\uad6d", "\u0928\u092e", "\u0e2a\u0e27", "\u0645\u0631", "\u05e9",
    "\u01c5", "\u02b0", "\u00aa", "\u0301", "\u094d", *"0718", "12", "2024", "\u0663", "\u00bd", "\u2163", "\u0967",
    "'s", "'T", "'re", "'VE", "'m", "'ll", "'D", "'", "\u2019", *"!?.,;:-_/()[]{}<>\"#$%&*+=@\\^`|~", "...", "//", "->",
    "\u3002", "\uff0c", "\uff01", "\u300c", "\u201c", "\u20ac", "\u00d7", "\U0001f600", "\u200d", "\ufe0f", "\u200b", "\ufeff",
]


def mixed_texts():
    draw = random.Random(7)
    return ["".join(draw.choice(PARTS) for _ in range(48)) for _ in range(32)]


MIXED = mixed_texts()


def alphabet():
    """GPT-2's letter for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    letters = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}
    return dict(sorted(letters.items()))


LETTER = alphabet()


def words_of(texts):
    """Letters of the texts, which are cut by special tokens only."""
    parts = re.split("|".join(map(re.escape, CONTROL)), "\0".join(texts))
    return [[LETTER[b] for b in text.encode()] for part in parts for text in part.split("\0")]


def learn_tokens():
    """All bytes; then each pair most often seen, first in the written texts, then in those drawn."""
    written, drawn = words_of(TEXTS), words_of(MIXED)
    tokens = dict.fromkeys(LETTER.values())
    for words, learned in (written, LEARNED), (drawn, 2 * LEARNED):
        while len(tokens) < 256 + learned:
            pairs = collections.Counter(pair for word in words for pair in zip(word, word[1:]))
            left, right = max(pairs, key=lambda pair: (pairs[pair], -len(pair[0] + pair[1])))
            tokens[left + right] = None
            for word in written + drawn:
                for i in range(len(word) - 1, 0, -1):
                    if word[i - 1:i + 1] == [left, right]:
                        word[i - 1:i + 1] = [left + right]
    return list(tokens)


def merges_of(tokens):
    """Each way to make a token of two earlier ones, as converters write them for a vocabulary that has ranks only."""
    rank = {token: i for i, token in enumerate(tokens)}
    splits = ((token[:i], token[i:]) for token in tokens for i in range(1, len(token)))
    is_made = lambda pair: all(rank.get(part, len(rank)) < rank["".join(pair)] for part in pair)
    return [" ".join(pair) for pair in splits if is_made(pair)]


def text_value(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def array_value(kind, items):
    """GGUF's types: 9 an array, 8 texts, 5 32-bit integers."""
    packed = b"".join(map(text_value, items)) if kind == 8 else struct.pack(f"<{len(items)}i", *items)
    return struct.pack("<IIQ", 9, kind, len(items)) + packed


def write_gguf(path, pre, tokens, types, merges):
    """GGUF 3 with a vocabulary and no tensors."""
    bos = struct.pack("<II", 4, tokens.index("<|endoftext|>"))
    keys = {
        "general.architecture": struct.pack("<I", 8) + text_value("gpt2"),
        "tokenizer.ggml.model": struct.pack("<I", 8) + text_value("gpt2"),
        "tokenizer.ggml.pre": struct.pack("<I", 8) + text_value(pre),
        "tokenizer.ggml.tokens": array_value(8, tokens),
        "tokenizer.ggml.merges": array_value(8, merges),
        "tokenizer.ggml.token_type": array_value(5, types),
        "tokenizer.ggml.bos_token_id": bos,
    }
    head = struct.pack("<4sIQQ", b"GGUF", 3, 0, len(keys))
    path.write_bytes(head + b"".join(text_value(key) + value for key, value in keys.items()))


def llama_ids(command, model, text):
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode())
        file.flush()
        args = [*shlex.split(command), "-m", str(model), "-f", file.name, "--ids", "--no-escape", "--log-disable"]
        out = subprocess.run(args, check=True, capture_output=True, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def tiktoken_ids(modules, tokens, special_from, texts):
    """With tiktoken's own o200k_base expression; special tokens as o200k_harmony finds them."""
    bytes_of = {letter: byte for byte, letter in LETTER.items()}
    ranks = [[list(bytes_of[c] for c in token), i] for i, token in enumerate(tokens[:special_from])]
    special = {token: special_from + i for i, token in enumerate(tokens[special_from:]) if token.startswith("<|")}
    script = """
        const {Tiktoken} = require('tiktoken'), o200k = require('tiktoken/encoders/o200k_base.json');
        const input = JSON.parse(require('fs').readFileSync(0));
        const base64 = bytes => Buffer.from(bytes).toString('base64');
        const lines = input.ranks.map(([bytes, rank]) => base64(bytes) + ' ' + rank).join('\\n');
        const encoder = new Tiktoken(lines, input.special, o200k.pat_str);
        console.log(JSON.stringify(input.texts.map(text => Array.from(encoder.encode(text, 'all', [])))));
    """
    done = subprocess.run(["node", "-e", script], cwd=modules, check=True, capture_output=True, text=True,
                          input=json.dumps({"ranks": ranks, "special": special, "texts": texts}))
    return json.loads(done.stdout)


def main():
    llama, modules, out = sys.argv[1:4]
    learned = learn_tokens()
    merges = merges_of(learned)
    ids, mixed_ids = {}, {}
    for pre in PRES:
        extra = [*CONTROL, *(USER_DEFINED if pre == "olmo" else [])]
        tokens = learned + extra
        types = [1] * len(learned) + [3] * len(CONTROL) + [4] * (len(extra) - len(CONTROL))
        model = pathlib.Path("pre.gguf")
        write_gguf(model, pre, tokens, types, merges)
        ids[pre] = [llama_ids(llama, model, text) for text in TEXTS]
        if pre == "gpt-4o":
            ids["tiktoken"] = tiktoken_ids(modules, tokens, len(learned), TEXTS)
            mixed_ids[pre] = tiktoken_ids(modules, tokens, len(learned), MIXED)
        else:
            mixed_ids[pre] = [llama_ids(llama, model, text) for text in MIXED]
        model.unlink()
    golden = {"merges": merges, "control": CONTROL, "user_defined": USER_DEFINED, "texts": TEXTS, "ids": ids,
              "mixed": MIXED, "mixed_ids": mixed_ids}
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    lines = [f"{dump(key)}: {dump(value)}" for key, value in golden.items()]
    pathlib.Path(out).write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")


main()
