# SPDX-License-Identifier: Apache-2.0
"""Writes golden.bin: what the gguf Python package makes of fixed inputs, for quantize_test.cc.

    python3 make_golden.py golden.bin

Needs the packages gguf (golden.bin: version 0.19.0) and numpy. The file is a sequence of (u32 length, bytes),
little-endian: the floats x; x in each type of ENCODED; then for each type of DECODED and COVERED, packed bytes and
their floats.
"""
import struct
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

ENCODED = [T.F16, T.BF16, T.Q8_0, T.Q4_0]
DECODED = [T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q4_K, T.Q5_K, T.Q6_K]
DECODED += [T.Q2_K, T.Q3_K, T.Q4_1, T.Q5_0, T.Q5_1, T.IQ4_NL, T.MXFP4]
COVERED = [T.IQ4_XS, T.IQ3_S, T.IQ3_XXS, T.IQ2_S, T.IQ2_XS, T.IQ2_XXS]
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


def each(count, limit):
    """`count` numbers in any order: each below `limit` equally often, or nearly so."""
    return rng.permutation(np.resize(np.arange(limit), count))


def sevens(count, scales):
    """u32 of four times seven signs and a scale."""
    signs = each(4 * count, 128).reshape(-1, 4) << np.array([0, 7, 14, 21])
    return (signs.sum(1) | scales << 28).astype(np.uint32)


def covering(kind):
    """Blocks with every grid index, byte or seven of signs, and scale; some scales of the blocks are extreme."""
    n = {T.IQ4_XS: 8, T.IQ3_S: 8, T.IQ3_XXS: 4, T.IQ2_S: 32, T.IQ2_XS: 16, T.IQ2_XXS: 8}[kind]
    byte = lambda count: each(n * count, 256).astype(np.uint8).reshape(n, -1)
    d = rng.standard_normal(n).astype(np.float16)
    d[:3] = [6e-8, -6e-5, 65504]
    if kind == T.IQ4_XS:
        scales = each(n * 8, 64).reshape(n, -1)
        high = ((scales >> 4) << 2 * np.arange(8)).sum(1).astype(np.uint16)
        fields = [high, (scales[:, ::2] & 15 | (scales[:, 1::2] & 15) << 4).astype(np.uint8), byte(128)]
    elif kind == T.IQ3_S:
        index = each(n * 64, 512).reshape(n, -1, 8)
        fields = [(index & 255).astype(np.uint8), ((index >> 8) << np.arange(8)).sum(2).astype(np.uint8), byte(32), byte(4)]
    elif kind == T.IQ3_XXS:
        fields = [byte(64), sevens(n * 8, each(n * 8, 16))]
    elif kind == T.IQ2_S:
        index = each(n * 32, 1024).reshape(n, -1, 4)
        high = ((index >> 8) << 2 * np.arange(4)).sum(2).astype(np.uint8)
        fields = [(index & 255).astype(np.uint8), byte(32), high, byte(8)]
    elif kind == T.IQ2_XS:
        fields = [(each(n * 32, 512) | each(n * 32, 128) << 9).astype(np.uint16), byte(8)]
    else:
        fields = [np.stack([byte(32).reshape(-1).view(np.uint32), sevens(n * 8, each(n * 8, 16))], 1)]
    columns = [np.ascontiguousarray(f).view(np.uint8).reshape(n, -1) for f in [d, *fields]]
    return np.concatenate(columns, 1).reshape(-1)


with open(sys.argv[1], "wb") as out:

    def put(array):
        out.write(struct.pack("<I", array.nbytes) + array.tobytes())

    x = floats()
    put(x)
    for kind in ENCODED:
        put(gguf.quants.quantize(x, kind))
    for kind in DECODED + COVERED:
        p = covering(kind) if kind in COVERED else packed(kind)
        put(p)
        put(np.ascontiguousarray(gguf.quants.dequantize(p, kind)))
