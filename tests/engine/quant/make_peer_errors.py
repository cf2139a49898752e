# SPDX-License-Identifier: Apache-2.0
"""Prints the table in weighted_quantize_test.cc: the weighted errors of ggml's quantisers on that test's rows.

    python3 make_peer_errors.py

Needs numpy, the package gguf and libggml-base.so.0 (the table: ggml 0.27.0), which does llama-quantize's work.
"""
import ctypes

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

ROWS, COLUMNS = 64, 256
ggml = ctypes.CDLL("libggml-base.so.0")
ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
floats = ctypes.POINTER(ctypes.c_float)

state = 1


def draw():
    """16 bits of a linear congruential generator."""
    global state
    state = (state * 1664525 + 1013904223) % 2**32
    return state >> 16


x = np.array([sum(draw() for _ in range(4)) - 131070 for _ in range(ROWS * COLUMNS)], np.float32) / np.float32(65536)
importance = np.array([(1 + draw() % 16) ** 2 for _ in range(COLUMNS)], np.float32)

KINDS = [T.Q2_K, T.Q3_K, T.Q4_0, T.Q4_1, T.Q4_K, T.Q5_0, T.Q5_1, T.Q5_K, T.Q6_K, T.Q8_0, T.IQ4_NL, T.MXFP4, T.IQ4_XS]
for kind in KINDS:
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    packed = np.zeros(len(x) // elements * size, np.uint8)
    ggml.ggml_quantize_chunk(
        ctypes.c_int(kind.value),
        x.ctypes.data_as(floats),
        packed.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_int64(0),
        ctypes.c_int64(ROWS),
        ctypes.c_int64(COLUMNS),
        importance.ctypes.data_as(floats),
    )
    y = gguf.quants.dequantize(packed.reshape(ROWS, -1), kind).reshape(-1)
    error = (y.astype(np.float64) - x) ** 2 * np.tile(importance, ROWS)
    print(f"{{TensorType::k{kind.name}, {error.sum():.6g}}},")
