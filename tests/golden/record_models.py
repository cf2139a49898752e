#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what llama.cpp answers on the models of fixtures/, and proves that the answers can tell a wrong model.

usage: record_models.py FIXTURE_FILE LLAMA_LOGITS_COMMAND [FIXTURE...]
  FIXTURE_FILE          the program of that name in the build folder
  LLAMA_LOGITS_COMMAND  runs llama_logits (see llama_logits.cc), as in "./llama_logits" or, where llama.cpp lives in a root
                        of its own, "path/to/llama-cpp /host/path/to/llama_logits"
  FIXTURE               only these; what is known of the others stays

Writes architectures.json and sensitivity.md beside this script. Reference: F32 cache, weights not laid out anew, no flash
attention, one thread. Fails when a changed key or tensor moves llama.cpp's answer by less than MOVED_LEAST, or a fixture's
entropy is not about half of a uniform answer's.
"""
import array
import base64
import json
import math
import os
import pathlib
import random
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LENGTHS = [1, 7, 40, 150]
LONG = 40  # prompts from this length on see what depends on positions
POSITIONS_MAX = 10
VOCABULARY = 263
STEP = 1 / 2048  # nats; log-probabilities are kept as 16-bit multiples
F32_TOLERANCE = 1e-5
MOVED_LEAST = 100 * F32_TOLERANCE

# What each key is changed to: a wrong reading that is likely, such as the value that other models have or the default of
# a key that was not read (None: left out). Keys of one line change together, since tensors' shapes bind them.
CHANGES = [
    ({"attention.layer_norm_rms_epsilon": "0.00001"}, "all"),
    ({"expert_used_count": "-1"}, "all"),
    ({"expert_weights_scale": None}, "all"),
    ({"embedding_scale": "1"}, "all"),
    ({"residual_scale": "1"}, "all"),
    ({"logit_scale": "1"}, "all"),
    ({"final_logit_softcapping": None}, "all"),
    ({"attention.scale": None}, "long"),
    ({"rope.scaling.finetuned": None}, "long"),
    ({"expert_gating_func": "1"}, "all"),
    ({"expert_weights_norm": None}, "all"),
    ({"expert_group_count": None, "expert_group_used_count": None}, "all"),
    ({"expert_group_used_count": "+1"}, "all"),
    ({"rope.freq_base": None}, "long"),
    ({"rope.freq_base_swa": None}, "long"),
    ({"rope.dimension_count": "/2"}, "long"),
    ({"rope.dimension_count_swa": "/2"}, "long"),
    ({"rope.scaling.type": "none"}, "long"),
    ({"rope.scaling.factor": None}, "long"),
    ({"rope.scaling.attn_factor": None}, "long"),
    ({"rope.scaling.original_context_length": None}, "long"),
    ({"rope.scaling.yarn_log_multiplier": None}, "long"),
    ({"rope.scaling.yarn_beta_fast": None}, "long"),
    ({"rope.scaling.yarn_beta_slow": None}, "long"),
    ({"rope.scaling.yarn_ext_factor": None}, "long"),
    ({"attention.sliding_window": "+1"}, "long"),
    ({"attention.head_count": "*2", "attention.head_count_kv": "*2", "attention.key_length": "/2",
      "attention.value_length": "/2"}, "long"),
]
# Keys that only lengthen or name, and those that llama.cpp's shapes of tensors contradict when they alone are changed.
NO_CHANGE = ["general.architecture", "general.name", "context_length", "rope.dimension_sections"]
SHAPES = ["block_count", "embedding_length", "feed_forward_length", "expert_feed_forward_length", "expert_count",
          "expert_shared_feed_forward_length", "leading_dense_block_count", "shortconv.l_cache", "ssm.conv_kernel",
          "ssm.inner_size", "ssm.state_size", "ssm.time_step_rank", "ssm.group_count", "expert_shared_count",
          "attention.q_lora_rank", "attention.kv_lora_rank", "attention.key_length_mla",
          "attention.value_length_mla", "nextn_predict_layers", "full_attention_interval",
          "attention.recurrent_layers", "attention.key_length_swa", "attention.value_length_swa",
          "attention.sliding_window_pattern", "embedding_length_per_layer_input"]
# llama.cpp does not read these keys of these architectures, but has options for them.
OPTIONS = ["rope.scaling.yarn_ext_factor", "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow"]
# With one token there is one position to look at: what only decides where to look is seen by longer prompts.
# A state that has taken one position has no past to decay, and its norm all but undoes the rate at which it was taken.
LOOKING = ["query", "key", "query_norm", "key_norm", "query_bias", "key_bias", "rope_factors", "rope_long_factors",
           "mamba_decay",
           "query_down", "query_down_norm", "query_up", "key_up", "delta_decay", "delta_decay_bias",
           "delta_decay_scale", "delta_norm", "delta_rate", "delta_rates_decays"]

# Of contexts up to the original one; the fixtures' are longer, and rope_test has the others.
UNUSED = ["rope_short_factors"]

HEADING = f"""# What the golden file of architectures can see

Written by record_models.py. For each fixture with F32 weights, each key and each tensor is changed in turn; the columns are
the median KL divergence of llama.cpp's answers on the changed file from those on the file itself, a column a prompt. A wrong
reading of that key or tensor is seen by `architectures_test` when it moves the answer by more than {F32_TOLERANCE:.0e}; what
is counted here moves it by {MOVED_LEAST:.0e} or more. "all": on each prompt; "long": on prompts of {LONG} tokens and more, for
what depends on positions or only decides where to look.

Keys that only name or lengthen, and change nothing: {", ".join(f"`{key}`" for key in NO_CHANGE)}. Keys that tensors' shapes
repeat, so that a wrong reading is refused: {", ".join(f"`{key}`" for key in SHAPES)}.

llama.cpp does not read `rope.scaling.yarn_*` of these architectures: it was given them as its options of that name. Its
`qwen3moe` passes over `expert_weights_scale`: it was given a file whose down matrices are multiplied by it.
"""


def prompts():
    source = random.Random(12)
    return [[source.randrange(256) for _ in range(length)] for length in LENGTHS]


def positions(length):
    count = min(length, POSITIONS_MAX)
    return [(i + 1) * length // count - 1 for i in range(count)]


def log_probabilities(logits):
    most = max(logits)
    shift = most + math.log(sum(math.exp(x - most) for x in logits))
    return [x - shift for x in logits]


def divergence(p, q):
    return sum(math.exp(a) * (a - b) for a, b in zip(p, q))


def entropy(p):
    return -sum(math.exp(a) * a for a in p)


class Recorder:
    def __init__(self, fixture_file, llama):
        self.fixture_file = str(pathlib.Path(fixture_file).resolve())
        self.llama = shlex.split(llama)
        with open("prompts.txt", "w", encoding="ascii") as file:
            for prompt in prompts():
                print(len(prompt), *prompt, file=file)

    def call(self, *arguments):
        return subprocess.run([self.fixture_file, *arguments], check=True, capture_output=True, text=True).stdout

    def describe(self, name):
        lines = [line.split("\t") for line in self.call(name).splitlines()]
        return ({key: value for kind, key, value in lines if kind == "key"},
                {tensor: role for kind, tensor, role in lines if kind == "tensor"})

    def write(self, name, path, changes=()):
        return self.call(name, path, *changes).strip()

    def options(self, name, changes=()):
        """llama.cpp's options for a model, -1 where the key is left out."""
        keys = self.describe(name)[0] | dict(change.split("=") for change in changes if "=" in change)
        prefix = keys["general.architecture"] + "."
        return [keys.get(prefix + option) or "-1" for option in OPTIONS]

    def answers(self, models, cache="f32", packing="unpacked"):
        """For each (file, its options): for each prompt, log-probabilities at its positions; None where llama.cpp refuses it."""
        lines = "".join(f"{model} {model}.out {' '.join(options)}\n" for model, options in models)
        ran = subprocess.run([*self.llama, "prompts.txt", cache, packing], input=lines, text=True,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if ran.returncode != 0:
            raise SystemExit(f"llama_logits: exit {ran.returncode}\n{ran.stderr[-2000:]}")
        return [self.read(f"{model}.out") for model, _ in models]

    @staticmethod
    def read(path):
        data = array.array("f", pathlib.Path(path).read_bytes())
        os.unlink(path)
        if not data:
            return None
        assert len(data) == sum(LENGTHS) * VOCABULARY, path
        found, start = [], 0
        for length in LENGTHS:
            found.append([log_probabilities(data[(start + i) * VOCABULARY:(start + i + 1) * VOCABULARY])
                          for i in positions(length)])
            start += length
        return found


def medians(reference, other):
    """The median KL of each prompt."""
    return [statistics.median(map(divergence, p, q)) for p, q in zip(reference, other)]


def changed(value, how):
    if how is None:
        return ""
    if "," in value:
        return ",".join(changed(part, how) for part in value.split(","))
    if how[0] in "+-":
        return str(int(value) + int(how))
    if how[0] == "*":
        return str(int(value) * int(how[1:]))
    if how[0] == "/":
        return str(int(value) // int(how[1:]))
    return how


def variants(architecture, keys, tensors):
    """(what, from -> to, which prompts, arguments) for each key and tensor."""
    prefix = architecture + "."
    left = [key for key in keys if key not in NO_CHANGE and key.removeprefix(prefix) not in NO_CHANGE + SHAPES]
    for change, which in CHANGES:
        names = [prefix + name for name in change if prefix + name in keys]
        if len(names) < len(change):
            continue
        new = [changed(keys[prefix + name], how) for name, how in change.items()]
        steps = ", ".join(f"{keys[name]} → {value or 'left out'}" for name, value in zip(names, new))
        left = [key for key in left if key not in names]
        yield ", ".join(names), steps, which, [f"{name}={value}" for name, value in zip(names, new)]
    assert not left, f"no change is known for {left}"
    for tensor, role in tensors.items():
        if role in UNUSED:
            continue
        yield tensor, "other weights", "long" if role in LOOKING else "all", ["@" + tensor]


def sensitivity(recorder, name, reference):
    """Rows of the table: (what, change, which prompts, medians or None)."""
    keys, tensors = recorder.describe(name)
    rows = list(variants(keys["general.architecture"], keys, tensors))
    files = []
    for index, row in enumerate(rows):
        files.append((f"variant-{index}.gguf", recorder.options(name, row[3])))
        recorder.write(name, files[-1][0], row[3])
    answers = recorder.answers(files)
    for file, _ in files:
        os.unlink(file)
    return [(what, change, which, answer and medians(reference, answer))
            for (what, change, which, _), answer in zip(rows, answers)]


def least(which, moved):
    return min(kl for kl, length in zip(moved, LENGTHS) if which == "all" or length >= LONG)


def pack(answer):
    steps = array.array("H", [min(65535, round(-x / STEP)) for prompt in answer for row in prompt for x in row])
    if sys.byteorder == "big":
        steps.byteswap()
    return base64.b64encode(steps.tobytes()).decode("ascii")


def record(recorder, name):
    checksum = recorder.write(name, "model.gguf")
    model = [("model.gguf", recorder.options(name))]
    reference, = recorder.answers(model)
    if reference is None:
        raise SystemExit(f"{name}: llama.cpp refuses it")
    others = [recorder.answers(model, cache, packing)[0]
              for cache, packing in (("f16", "unpacked"), ("f32", "packed"), ("f16", "packed"))]
    own = [max(kl) for kl in zip(*(medians(reference, other) for other in others))]
    mean_entropy = statistics.mean(entropy(row) for prompt in reference for row in prompt)
    os.unlink("model.gguf")
    return {"name": name, "checksum": checksum, "own_distance": own, "entropy": mean_entropy,
            "log_probabilities": pack(reference)}, reference


def table(name, rows, failures):
    lines = [f"\n## {name}\n", "| what | change | " + " | ".join(f"{n} tokens" for n in LENGTHS) + " | counted | least |",
             "|---|---|" + "---|" * (len(LENGTHS) + 2)]
    for what, change, which, moved in rows:
        if moved is None:
            lines.append(f"| {what} | {change} |" + " |" * len(LENGTHS) + " | refused |")
            continue
        if least(which, moved) < MOVED_LEAST:
            failures.append(f"{name}: {what} ({change}) moves by {least(which, moved):.1e}")
        lines.append(f"| {what} | {change} | " + " | ".join(f"{kl:.1e}" for kl in moved) +
                     f" | {which} | {least(which, moved):.1e} |")
    return lines


def kept(names, recorded, tables):
    """What the files say of the fixtures that are not recorded now."""
    with open(HERE / "architectures.json", encoding="utf-8") as file:
        old = json.load(file)
    now = {model["name"] for model in recorded}
    recorded += [model for model in old["models"] if model["name"] in names and model["name"] not in now]
    for section in (HERE / "sensitivity.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        name = section.partition("\n")[0]
        if name in names and name not in now:
            tables[name] = ("\n## " + section).rstrip("\n").split("\n")


def write_outputs(names, recorded, tables):
    kept(names, recorded, tables)
    recorded.sort(key=lambda model: names.index(model["name"]))
    golden = {"made_by": "record_models.py", "step": STEP, "prompts": prompts(),
              "positions": [positions(length) for length in LENGTHS]}
    with open(HERE / "architectures.json", "w", encoding="utf-8") as file:
        file.write(json.dumps(golden)[:-1] + ',\n"models": [\n')
        file.write(",\n".join(json.dumps(model) for model in recorded) + "\n]}\n")
    with open(HERE / "sensitivity.md", "w", encoding="utf-8") as file:
        file.write(HEADING + "\n".join(line for name in names for line in tables.get(name, [])) + "\n")


def main():
    fixture_file, llama, *only = sys.argv[1:]
    fixture_file = str(pathlib.Path(fixture_file).resolve())
    failures, recorded, tables = [], [], {}
    with tempfile.TemporaryDirectory(dir=".") as folder:
        os.chdir(folder)
        recorder = Recorder(fixture_file, llama)
        names = recorder.call().split()
        for name in only or names:
            entry, reference = record(recorder, name)
            recorded.append(entry)
            print(name, f"entropy {entry['entropy']:.2f} of {math.log(VOCABULARY):.2f}, own distance",
                  *(f"{kl:.1e}" for kl in entry["own_distance"]), flush=True)
            if not 0.4 <= entry["entropy"] / math.log(VOCABULARY) <= 0.6:
                failures.append(f"{name}: entropy {entry['entropy']:.2f}")
            if not any(mark in name for mark in ("-Q", "-MX", "-IQ")):
                tables[name] = table(name, sensitivity(recorder, name, reference), failures)
        os.chdir("..")
    print(*failures, sep="\n")
    write_outputs(names, recorded, tables)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
