#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records llama.cpp's embeddings of some texts, normalised, with mean and with last pooling.

usage: record_embeddings.py LLAMA_SERVER_COMMAND MODEL.gguf OUT.json
  LLAMA_SERVER_COMMAND  runs llama-server, as in "llama-server" or "path/to/llama-cpp llama-server"
  MODEL.gguf            models/edgemoe-demo-q8_0.gguf
"""
import json
import shlex
import subprocess
import sys
import time
import urllib.request

PORT = 18474
TEXTS = [
    "a",
    "Once upon a time there was a cheerful farmer named Sam who lived in",
    "It was a dark night, and the old house upon the moor",
    "13:22 INFO prefetch layer=1\n13:23 INFO prefetch layer=3\n",
    "Der Fuchs läuft über die Brücke – 狐が橋を渡る。",
    " ".join(f"The fox number {i} sat by the river and waited for the moon." for i in range(12)),
]


def ask(path, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


def embeddings(command, model, pooling):
    server = subprocess.Popen(
        shlex.split(command) + ["-m", model, "--host", "127.0.0.1", "--port", str(PORT), "-np", "1", "-c", "1024",
                                "-b", "1024", "-ub", "1024", "-t", "2", "--embedding", "--pooling", pooling],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=5)
                break
            except OSError:
                time.sleep(0.2)
        answers = [ask("/v1/embeddings", {"input": text, "encoding_format": "float"}) for text in TEXTS]
    finally:
        server.terminate()
        server.wait()
    return [(answer["data"][0]["embedding"], answer["usage"]["prompt_tokens"]) for answer in answers]


def main():
    command, model, out = sys.argv[1:4]
    mean, last = (embeddings(command, model, pooling) for pooling in ("mean", "last"))
    rows = [{"text": text, "tokens": of_mean[1], "mean": [round(x, 6) for x in of_mean[0]],
             "last": [round(x, 6) for x in of_last[0]]} for text, of_mean, of_last in zip(TEXTS, mean, last)]
    with open(out, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()
