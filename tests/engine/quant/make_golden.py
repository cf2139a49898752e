# SPDX-License-Identifier: Apache-2.0
"""Writes golden.bin: what the gguf Python package makes of fixed inputs, for quantize_test.cc.

    python3 make_golden.py golden.bin

Needs the packages gguf (golden.bin: version 0.19.0) and numpy. The file is a sequence of (u32 length, bytes),
little-endian: the floats x; x in each type of ENCODED; then for each type of DECODED, packed bytes and their floats.
"""
import struct
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

ENCODED = [T.F16, T.BF16, T.Q8_0, T.Q4_0]
DECODED = [T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q4_K, T.Q5_K, T.Q6_K]
DECODED += [T.Q2_K, T.Q3_K, T.Q4_1, T.Q5_0, T.Q5_1, T.IQ4_NL, T.MXFP4]
HALVES = {T.Q8_0: [0], T.Q4_0: [0], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.Q2_K: [80, 82], T.Q3_K: [108]}
HALVES |= {T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.IQ4_NL: [0], T.MXFP4: []}  # where in a block

rng = np.random.default_rng(1)


def floats():
    """1,024 values: 32 blocks of 32, among them zeros, ties, tiny, huge and one-sided ones."""
    x = rng.standard_normal((32, 32)).astype(np.float32)
    x[0] = 0
    x[1] = np.arange(32) - 16  # exact levels, ties
    x[2] = (np.arange(32) - 16) / 2
    x[3] *= 1e-6
    x[4] *= 1e-30
    x[5] *= 1e5
    x[6] = np.abs(x[6])
    x[7] = -np.abs(x[7])
    x[8] = 0.25
    x[9] = -0.0
    x[10, 1:] = 0
    x[11] = np.where(np.arange(32) % 2 == 0, 3.0, -3.0)  # the first of equal magnitude decides
    x[12] *= np.float32(2) ** rng.integers(-20, 10, 32).astype(np.float32)
    return x.reshape(-1)


def packed(kind):
    """Random blocks with finite scales; random finite halves for the 16-bit types."""
    if kind in (T.F16, T.BF16):
        bits = np.arange(0, 65536, 61, dtype=np.uint16)
        exponent = 0x7C00 if kind == T.F16 else 0x7F80
        return bits[(bits & exponent) != exponent].view(np.uint8)
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (1024 // elements, size), dtype=np.uint8)
    for at in HALVES[kind]:
        half = rng.standard_normal(len(blocks)).astype(np.float16)
        half[0] = np.float16(6e-8)  # the smallest subnormal
        blocks[:, at : at + 2] = half.view(np.uint8).reshape(-1, 2)
    if kind == T.MXFP4:
        blocks[:4, 0] = [0, 1, 2, 251]  # 251: the largest exponent whose every value is finite
        blocks[4:, 0] = np.minimum(blocks[4:, 0], 251)
    return blocks.reshape(-1)


with open(sys.argv[1], "wb") as out:

    def put(array):
        out.write(struct.pack("<I", array.nbytes) + array.tobytes())

    x = floats()
    put(x)
    for kind in ENCODED:
        put(gguf.quants.quantize(x, kind))
    for kind in DECODED:
        p = packed(kind)
        put(p)
        put(np.ascontiguousarray(gguf.quants.dequantize(p, kind)))
