#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records the ids that llama.cpp and OpenAI's tiktoken give, for pre_tokenizer_golden_test.cc.

usage: record_pre_tokenizers.py LLAMA_TOKENIZE_COMMAND NODE_MODULES OUT.json
  LLAMA_TOKENIZE_COMMAND  runs llama-tokenize, as in "path/to/llama-cpp llama-tokenize"
  NODE_MODULES            holds npm's package tiktoken; node is needed, too

The vocabulary is made here: all bytes, and tokens learned from the texts without splitting them into words, so that
nearly every wrong border between two words gives other ids; then words that no merge makes. It is written to pre.gguf
in the current folder, once for each pre-tokenizer. Of a text's ids a hash is kept; names with the same ids share them.
"""
import collections
import json
import pathlib
import random
import re
import subprocess
import sys
import unicodedata

import recording
from recording import I32, TEXT, U32

LEARNED = 700  # from each group of texts, but for the last
PRES = [
    "qwen2", "qwen35", "deepseek-r1-qwen", "megrez", "stablelm2", "hunyuan", "solar-open", "grok-2", "kormo", "f2llmv2",
    "bailingmoe", "bailingmoe2", "llada-moe", "laguna", "seed-coder", "exaone-moe", "dbrx", "smaug-bpe", "glm4",
    "chatglm-bpe", "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "minicpm5",
    "gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2", "tekken", "kimi-k2", "youtu", "tiny_aya", "cohere2moe",
    "superbpe", "deepseek-llm", "deepseek-coder", "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4", "afmoe", "gpt-2",
    "phi-2", "olmo", "mpt", "jais", "trillion", "granite-docling", "exaone4", "gigachat", "a.x-4.0", "mellum", "starcoder",
    "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2", "falcon", "default",
]
# The expressions of tiktoken's own o200k_base, and of the others' tokenizer.json or tokenization_kimi.py.
LEAD, ENDS = r"[^\r\n\p{L}\p{N}]?", r"\s*[\r\n]+|\s+(?!\S)|\s+"
CAPITAL, SMALL = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"


def cased_words(capital, small, end):
    return f"{LEAD}{capital}*{small}+{end}|{LEAD}{capital}+{small}*{end}"


NOT_HAN = [letters[:-1] + r"&&[^\p{Han}]]" for letters in (CAPITAL, SMALL)]
ORIGINALS = {
    "gpt-4o": cased_words(CAPITAL, SMALL, CONTRACTION) + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + ENDS,
    "tekken": cased_words(CAPITAL, SMALL, "") + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + ENDS,
    "kimi-k2": r"\p{Han}+|" + cased_words(*NOT_HAN, CONTRACTION) +
               r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + ENDS,
}
# Words that are tokens, which the merges that are learned do not lead to; they show who looks for whole words.
WHOLE = ["\u0120whole", "Whole", "\u0120words", "\u0120999", "777", "!=!="]
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


def letters_between(first, last):
    """The letters and marks that Unicode had in 2019, which all readers know."""
    characters = map(chr, range(first, last + 1))
    return [c for c in characters if unicodedata.ucd_3_2_0.category(c)[0] in "LM"]


SCRIPTS = [letters_between(*ends) for ends in (
    (0x41, 0x7a), (0xc0, 0x17f), (0x1e00, 0x1ef9), (0x388, 0x3ce), (0x400, 0x45f), (0x531, 0x587), (0x591, 0x5ea),
    (0x621, 0x6d3), (0x901, 0x963), (0x981, 0x9f1), (0xb82, 0xbd7), (0xc01, 0xc61), (0xe01, 0xe4e), (0xe81, 0xedd),
    (0xf40, 0xf84), (0x1000, 0x1059), (0x10a0, 0x10f8), (0x1200, 0x135a), (0x1780, 0x17d3), (0x1820, 0x1877),
    (0x3041, 0x3096), (0x30a1, 0x30fe), (0x3105, 0x312c), (0x4e00, 0x4eff), (0xac00, 0xacff))]
BETWEEN = [*[" "] * 8, *"\n\t.,!?-'\"(/", "  ", "\r\n", "\u3002", "\u060c", "\u0964", "7", "42", "1999", "20260", " \n", "'s", "'LL",
           "\U0001f600", " whole", "Whole", " words", " 999", "777", "!=!="]


def script_texts():
    """Words of one letter to five, each in a script of its own."""
    draw = random.Random(11)
    word = lambda: "".join(draw.choices(draw.choice(SCRIPTS), k=draw.randint(1, 5)))
    return ["".join(word() + draw.choice(BETWEEN) for _ in range(12)) for _ in range(32)]


# Where llama.cpp only comes near an original, it should be the same on these.
PLAIN = [*SCRIPTS[-2:], [c for c in SCRIPTS[0] if c.islower()]]


def plain_texts():
    draw = random.Random(13)
    word = lambda: "".join(draw.choices(draw.choice(PLAIN), k=draw.randint(1, 5)))
    ends = [" ", " ", " ", ".", ", ", "!\n", "\n\n", " 7 ", " 42 ", " 1999. ", " 20260, ", "  ", "'s ", "-", " whole", " words"]
    return ["".join(word() + draw.choice(ends) for _ in range(16)) for _ in range(16)]


GROUPS = {"written": TEXTS, "mixed": mixed_texts(), "scripts": script_texts(), "plain": plain_texts()}


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
    """All bytes; then each pair most often seen, in one group of texts after the other."""
    groups = [words_of(texts) for texts in GROUPS.values()]
    tokens = dict.fromkeys(LETTER.values())
    for words, learned in zip(groups, (LEARNED, 2 * LEARNED, 3 * LEARNED)):
        while len(tokens) < 256 + learned:
            pairs = collections.Counter(pair for word in words for pair in zip(word, word[1:])
                                        if "".join(pair) not in WHOLE)
            left, right = max(pairs, key=lambda pair: (pairs[pair], -len(pair[0] + pair[1])))
            tokens[left + right] = None
            for word in (word for group in groups for word in group):
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


def tiktoken_ids(modules, learned, pre):
    """With the original's own expression and without the words that no merge makes."""
    bytes_of = {letter: byte for byte, letter in LETTER.items()}
    ranks = [[list(bytes_of[c] for c in token), i] for i, token in enumerate(learned)]
    special = {token: len(learned) + i for i, token in enumerate(CONTROL)}
    script = """
        const {Tiktoken} = require('tiktoken'), input = JSON.parse(require('fs').readFileSync(0));
        const base64 = bytes => Buffer.from(bytes).toString('base64');
        const lines = input.ranks.map(([bytes, rank]) => base64(bytes) + ' ' + rank).join('\\n');
        const encoder = new Tiktoken(lines, input.special, input.expression);
        console.log(JSON.stringify(input.texts.map(text => Array.from(encoder.encode(text, 'all', [])))));
    """
    texts = [text for group in GROUPS.values() for text in group]
    done = subprocess.run(["node", "-e", script], cwd=modules, check=True, capture_output=True, text=True, input=json.dumps(
        {"ranks": ranks, "special": special, "texts": texts, "expression": ORIGINALS[pre]}))
    return json.loads(done.stdout)


def hashes(ids):
    """32 bits are enough to tell two of a text apart."""
    return [recording.fnv1a(one)[8:] for one in ids]


def main():
    llama, modules, out = sys.argv[1:4]
    learned = learn_tokens()
    merges = merges_of(learned)
    tokens = {False: [*learned, *WHOLE, *CONTROL], True: [*learned, *WHOLE, *CONTROL, *USER_DEFINED]}
    recorded = collections.defaultdict(list)
    model = pathlib.Path("pre.gguf")
    for pre in PRES:
        names = tokens[pre == "olmo"]
        types = [3 if name in CONTROL else 4 if name in USER_DEFINED else 1 for name in names]
        recording.write_gguf(model, {
            "tokenizer.ggml.model": recording.value(TEXT, "gpt2"),
            "tokenizer.ggml.pre": recording.value(TEXT, pre),
            "tokenizer.ggml.tokens": recording.array(TEXT, names),
            "tokenizer.ggml.merges": recording.array(TEXT, merges),
            "tokenizer.ggml.token_type": recording.array(I32, types),
            "tokenizer.ggml.bos_token_id": recording.value(U32, names.index("<|endoftext|>")),
        })
        ids = [recording.llama_ids(llama, model, text) for group in GROUPS.values() for text in group]
        recorded[tuple(hashes(ids))].append(pre)
        print(pre, file=sys.stderr)
    model.unlink()
    recording.write_golden(out, {
        "merges": merges, "whole": WHOLE, "control": CONTROL, "user_defined": USER_DEFINED, **GROUPS,
        "llama": [{"names": names, "hashes": ids} for ids, names in recorded.items()],
        "tiktoken": {pre: hashes(tiktoken_ids(modules, learned, pre)) for pre in ORIGINALS},
    })


if __name__ == "__main__":
    main()
