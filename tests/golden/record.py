#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records llama.cpp's greedy tokens, with its two best log-probabilities at each step.

usage: record.py LLAMA_SERVER_COMMAND MODEL.gguf OUT.json
  LLAMA_SERVER_COMMAND  runs llama-server, as in "llama-server" or "path/to/llama-cpp llama-server"; for Q4_0, whose
                        weights it lays out anew and then sums up in another order, with "--no-repack" after it
  MODEL.gguf            models/edgemoe-demo-q8_0.gguf, or what edgemoe-quantize makes of it

The server answers one request at a time, without prompt reuse, so that every recording starts from nothing. Tokens that
end the generation are banned, for the text to go on to its full length; a test bans the same ones.
"""
import json
import shlex
import subprocess
import sys
import time
import urllib.request

PORT = 18473
TOKENS = 128
BANNED = ["<|im_end|>", "<|endoftext|>"]
CHAT = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
PROMPTS = [
    CHAT.format("What is the capital of France?"),
    CHAT.format("Tell me a story about a fox."),
    CHAT.format("Write a small Python function."),
    CHAT.format("Who are you and what can you do?"),
    "Once upon a time there was a cheerful farmer named Sam who lived in",
    "13:22 INFO prefetch layer=1\n13:23 INFO prefetch layer=3\n",
    '{"name": "Eva", "age": 8, "city": "Cairo", "pets": [',
    "It was a dark night, and the old house upon the moor",
]


def ask(path, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


def tokenize(text):
    return ask("/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]


def record(prompt, banned):
    tokens = tokenize(prompt)
    answer = ask("/completion", {
        "prompt": tokens, "n_predict": TOKENS, "temperature": 0, "n_probs": 2 + len(banned), "cache_prompt": False,
        "return_tokens": True, "logit_bias": [[token, False] for token in banned]})
    steps = []
    for step in answer["completion_probabilities"]:
        best = [p["logprob"] for p in step["top_logprobs"] if p["id"] not in banned][:2]
        steps.append([step["id"], round(best[0], 5), round(best[1], 5)])
    assert len(steps) == TOKENS, f"{len(steps)} steps recorded"
    return {"prompt": prompt, "prompt_tokens": tokens, "steps": steps}


def main():
    command, model, out = sys.argv[1:4]
    server = subprocess.Popen(
        shlex.split(command) + ["-m", model, "--host", "127.0.0.1", "--port", str(PORT), "-np", "1", "-c", "1024", "-t", "2"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=5)
                break
            except OSError:
                time.sleep(0.2)
        banned = [token for text in BANNED for token in tokenize(text)]
        runs = [record(prompt, banned) for prompt in PROMPTS]
    finally:
        server.terminate()
        server.wait()
    with open(out, "w", encoding="utf-8") as file:
        file.write('{"banned": ' + json.dumps(banned) + ',\n "runs": [\n')
        file.write(",\n".join(json.dumps(run, separators=(",", ":")) for run in runs))
        file.write("\n]}\n")


main()
