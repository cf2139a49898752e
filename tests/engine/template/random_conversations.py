#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random conversations, well formed and not, and what Jinja makes of them.

usage: random_conversations.py SEED COUNT TEMPLATE.jinja... > conversations.json

{"contexts": [...], "rendered": {TEMPLATE: [text, or null where Jinja refuses]}}. Exits with 77 without python3-jinja2.
"""
import copy
import json
import pathlib
import random
import sys

try:
    import reference
except ImportError:
    sys.exit(77)

WORDS = ["Hello", "<think>\nhm\n</think>\n\nyes", "", "  pad \n", "\u65e5\u672c\u8a9e \u00e9", "<call>{}</call>", "a\nb\r\n\tc", "{\"a\": 1}", "</think>",
         "x</think>y</think>z", "<think>open", "stop.", "<response>x</response>", "[first]"]
TYPES = ["string", "integer", "number", "boolean", "null", ["string", "null"], "array", "object"]
SWITCHES = {"enable_thinking": [True, False, None], "thinking": [True, False], "reasoning_effort": ["low", "high", None], "clear_thinking": [True, False],
            "keep_past_thinking": [True], "builtin_tools": [["code_interpreter", "browser"]], "date_string": ["today"], "tools_in_user_message": [False],
            "model_identity": ["me"]}


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.calls = 0

    def one_in(self, count):
        return self.rng.randrange(count) == 0

    def text(self):
        return "".join(self.rng.choice(WORDS) for _ in range(self.rng.choice([0, 1, 1, 2])))

    def content(self):
        if self.one_in(30):
            return self.rng.choice([None, {"a": 1}, [{"type": "image"}]])
        if self.one_in(12):
            return [{"type": "text", "text": self.text()} for _ in range(self.rng.randrange(3))]
        return self.text()

    def value(self, depth=0):
        kind = self.rng.randrange(8 if depth < 3 else 6)
        if kind == 6:
            return [self.value(depth + 1) for _ in range(self.rng.randrange(3))]
        if kind == 7:
            return {key: self.value(depth + 1) for key in self.rng.sample(["a", "items", "type"], self.rng.randrange(3))}
        return [None, True, self.rng.randrange(-5, 99), 1.5, self.text(), "v"][kind]

    def schema(self, depth=0):
        made = {"type": self.rng.choice(TYPES if depth < 3 else TYPES[:5])}
        if self.one_in(2):
            made["description"] = self.text()
        if made["type"] == "array" and not self.one_in(4):
            made["items"] = self.schema(depth + 1)
        if made["type"] == "object" and not self.one_in(4):
            names = self.rng.sample(["p", "type", "items", "description"], self.rng.randrange(3))
            made["properties"] = {name: self.schema(depth + 1) for name in names}
            made["required"] = names[:1]
        if self.one_in(6):
            made[self.rng.choice(["enum", "default", "nullable", "minimum"])] = self.value()
        if self.one_in(12):
            made["oneOf"] = [self.schema(depth + 1), self.schema(depth + 1)] if depth < 3 else []
        if self.one_in(12):
            del made["type"]
        return made

    def tool(self):
        names = self.rng.sample(["a", "items", "c d", "\u00e9"], self.rng.randrange(4))
        made = {"name": self.rng.choice(["f", "get_weather", "now"]), "description": self.text(),
                "parameters": {"type": "object", "properties": {name: self.schema() for name in names}, "required": names[:1]}}
        if self.one_in(12):
            del made[self.rng.choice(["description", "parameters"])]
        return {"type": "function", "function": made}

    def call(self):
        self.calls += 1
        arguments = {name: self.value() for name in self.rng.sample(["a", "b", "items"], self.rng.randrange(3))}
        made = {"type": "function", "function": {"name": "f", "arguments": json.dumps(arguments) if self.one_in(6) else arguments}}
        if not self.one_in(9):
            made["id"] = f"call{self.calls:05}"
        return made if not self.one_in(12) else made["function"]

    def assistant(self, **more):
        made = {"role": "assistant", "content": self.content(), **more}
        if self.one_in(2):
            made["reasoning_content"] = self.text()
            made["thinking"] = made["reasoning_content"]
        return made

    def turn(self):
        yield {"role": "user", "content": self.content()}
        for _ in range(self.rng.choice([0, 0, 1, 2])):
            calls = [self.call() for _ in range(self.rng.choice([1, 1, 2]))]
            yield self.assistant(tool_calls=calls)
            for call in calls:
                yield {"role": "tool", "content": self.content(), "tool_call_id": call.get("id", "x"), "name": "f"}
        if not self.one_in(4):
            yield self.assistant(**({"tool_calls": self.rng.choice([[], None])} if self.one_in(9) else {}))

    def context(self):
        messages = [{"role": self.rng.choice(["system", "system", "developer"]), "content": self.content()}] if self.one_in(2) else []
        for _ in range(self.rng.randrange(1, 4)):
            messages.extend(self.turn())
        if self.one_in(20):
            self.rng.shuffle(messages)
        made = {"messages": messages, "add_generation_prompt": self.one_in(2), "bos_token": "<s>", "eos_token": "</s>"}
        if self.one_in(2):
            made["tools"] = [self.tool() for _ in range(self.rng.choice([0, 1, 1, 2]))]
        for name, values in SWITCHES.items():
            if self.one_in(5):
                made[name] = self.rng.choice(values)
        return made


def main():
    maker = Maker(int(sys.argv[1]))
    contexts = [maker.context() for _ in range(int(sys.argv[2]))]
    jinja = reference.environment()
    rendered = {}
    for name in sys.argv[3:]:
        template = jinja.from_string(pathlib.Path(name).read_text(encoding="utf-8"))
        rendered[name] = [reference.render(template, copy.deepcopy(one)).get("text") for one in contexts]
    print(json.dumps({"contexts": contexts, "rendered": rendered}))


main()
