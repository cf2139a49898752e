# SPDX-License-Identifier: Apache-2.0
"""What the recorders share: vocabularies as GGUF files, and the ids that llama.cpp gives with them."""
import json
import pathlib
import shlex
import struct
import subprocess
import tempfile

U32, I32, F32, BOOL, TEXT, ARRAY, I8 = 4, 5, 6, 7, 8, 9, 1  # GGUF's types
FORMS = {U32: "<I", I32: "<i", F32: "<f", BOOL: "<?", I8: "<b"}


def packed_text(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def value(kind, item):
    """A value with its type before it, as GGUF has them."""
    packed = packed_text(item) if kind == TEXT else struct.pack(FORMS[kind], item)
    return struct.pack("<I", kind) + packed


def array(kind, items):
    packed = map(packed_text, items) if kind == TEXT else (struct.pack(FORMS[kind], item) for item in items)
    return struct.pack("<IIQ", ARRAY, kind, len(items)) + b"".join(packed)


def write_gguf(path, keys):
    """GGUF 3 with the keys, whose values stand behind their types, and no tensors."""
    keys = {"general.architecture": value(TEXT, "gpt2")} | keys
    head = struct.pack("<4sIQQ", b"GGUF", 3, 0, len(keys))
    pathlib.Path(path).write_bytes(head + b"".join(packed_text(name) + packed for name, packed in keys.items()))


def llama_ids(command, model, text, *options):
    """`text` is a string, or a file's path."""
    with tempfile.NamedTemporaryFile() as file:
        if isinstance(text, str):
            file.write(text.encode())
            file.flush()
            text = file.name
        args = [*shlex.split(command), "-m", str(model), "-f", str(text), "--ids", "--no-escape", "--log-disable"]
        out = subprocess.run([*args, *options], check=True, capture_output=True, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def fnv1a(ids):
    """Over the ids, each as 4 bytes, lowest first."""
    hashed = 0xcbf29ce484222325
    for byte in struct.pack(f"<{len(ids)}i", *ids):
        hashed = (hashed ^ byte) * 0x100000001b3 % 2**64
    return f"{hashed:016x}"


def write_golden(path, golden):
    """One line a key."""
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    lines = [f"{dump(key)}: {dump(item)}" for key, item in golden.items()]
    pathlib.Path(path).write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")
