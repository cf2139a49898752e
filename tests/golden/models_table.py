#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/models.md from what architectures_test prints.

usage: models_table.py BUILD_FOLDER
Runs BUILD_FOLDER/tests/golden/architectures_test, which compares each fixture's answers with llama.cpp's, and the tests
that run the same fixtures in batches, behind snapshots, streamed and packed. Fails when one of them does.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADING = """# Models

Written by `./dev golden`: the architectures that run, each held against llama.cpp on small random files whose every key and
tensor can move the answer ([sensitivity.md](../tests/golden/sensitivity.md)).

KL is the largest, over prompts of {lengths} tokens, of the median KL divergence of the engine's answers from llama.cpp's on
the same file; "itself" is the same of llama.cpp with a cache of another type and weights laid out anew. Quantised files
(`-Q8_0` and so on) may differ by 1e-3, or twice llama.cpp's distance from itself. Greedy tokens differ nowhere but at ties.
Bits: the same logits bit for bit in a batch with others, in chunks of any length, and behind a snapshot of the sequence's
state. Streamed: the same tokens with all experts in memory, under the least budget and as a pack (of models without
experts: in every mode and as a pack). Blank: not run with that file.

| architecture | file | KL | itself | bits | streamed, packed |
|---|---|---|---|---|---|
"""


def run(program, *arguments):
    ran = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    passed = set(re.findall(r"\[       OK \] (\S+)", ran.stdout))
    if ran.returncode != 0:
        print(ran.stdout[-4000:], ran.stderr[-2000:], sep="\n")
        sys.exit(f"{program.name}: exit {ran.returncode}")
    return ran.stdout, passed


def mark(passed, name):
    """Whether every test of the fixture passed; blank where it has none."""
    suffix = "/" + name.replace("-", "_")
    return "yes" if any(test.endswith(suffix) for test in passed) else ""


def main():
    tests = pathlib.Path(sys.argv[1]).resolve() / "tests"
    text, _ = run(tests / "golden/architectures_test", "--gtest_filter=*AnswersAsLlamaCpp*")
    kl = collections.defaultdict(list)
    for name, found in re.findall(r"^(\S+), \d+ tokens: median KL (\S+) of", text, re.M):
        kl[name].append(float(found))
    _, mixed = run(tests / "engine/model/mixers_test")
    _, served = run(tests / "engine/architectures_serve_test")
    golden = json.loads((ROOT / "tests/golden/architectures.json").read_text(encoding="utf-8"))
    rows = []
    for model in golden["models"]:
        name = model["name"]
        architecture = "gpt-oss" if name.startswith("gpt-oss") else name.partition("-")[0]
        rows.append(f"| `{architecture}` | {name} | {max(kl[name]):.1e} | {max(model['own_distance']):.1e} | "
                    f"{mark(mixed, name)} | {mark(served, name)} |")
    lengths = [str(len(prompt)) for prompt in golden["prompts"]]
    heading = HEADING.format(lengths=", ".join(lengths[:-1]) + " and " + lengths[-1])
    (ROOT / "docs/models.md").write_text(heading + "\n".join(rows) + "\n", encoding="utf-8")
    print(f"docs/models.md: {len(rows)} files")


if __name__ == "__main__":
    main()
