#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what Jinja makes of harmony_like.jinja and of gpt-oss' own template, for harmony_golden_test.cc.

usage: record_harmony.py GPT_OSS_TEMPLATE.jinja OUT.json

Of gpt-oss' texts the length and a hash are kept. llama-server's /apply-template gives the same texts (build 11669), but for conversations that end with
the assistant, which it prepares for continuation, and for tool schemas with an "array" that has no "items".
"""
import json
import pathlib
import sys

import reference


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


def call(name, arguments, **more):
    return assistant("", tool_calls=[{"type": "function", "function": {"name": name, "arguments": arguments}}], **more)


def tool(text):
    return {"role": "tool", "content": text}


def array(**items):
    return {"type": "array", "items": items}


def obj(required, **properties):
    return {"type": "object", "properties": properties, "required": required}


SYSTEM = {"role": "system", "content": "Be brief."}
DEVELOPER = {"role": "developer", "content": "Follow \u00e9 rules.\nTwo lines."}
TEXT = {"type": "string"}
NUMBER = {"type": "number"}
FIELDS = {
    "place": {"type": "string", "description": "City, \"quoted\""},
    "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
    "days": {"type": "integer", "default": 3, "description": "From today"},
    "loud": {"type": "boolean", "default": True},
    "note": {"type": "string", "nullable": True},
    "ratio": NUMBER,
    "texts": array(type="string"),
    "counts": {**array(type="integer"), "nullable": True},
    "flags": array(type="boolean"),
    "numbers": array(type="number"),
    "grid": array(**array(**array(type="number"))),
    "pairs": array(**obj([], a=TEXT, b=NUMBER)),
    "records": array(**obj(["a"], a=TEXT, b=NUMBER, a_name_long_enough_for_the_whole_to_be_cut=TEXT)),
    "bare": {"type": "array"},
    "bare_or_null": {"type": "array", "nullable": True},
    "union": {"type": ["object", "null"]},
    "single": {"type": ["string"]},
    "choice": {"oneOf": [{"type": "string", "default": "x", "description": "a text"}, {**NUMBER, "default": 1.5}],
               "default": "q"},
    "objects": {"oneOf": [{"type": "object"}, {"type": "string"}]},
    "tree": obj(["x"], x=NUMBER, y=obj(["z"], z=TEXT, w=obj([], v=array(type="string")))),
    "free": {"type": "object"},
    "untyped": {},
}
WEATHER = {"name": "weather", "description": "Tells the weather.", "parameters": obj(["place", "tree"], **FIELDS)}
TOOLS = [
    {"type": "function", "function": WEATHER},
    {"type": "function", "function": {"name": "ping", "description": "No arguments."}},
]
ARGUMENTS = {"place": "Z\u00fcrich", "days": [1, 2.5, None, True], "x": {"y": "\"\n"}}


def case(name, messages, prompt=True, **variables):
    return {"name": name, "context": {"messages": messages, "add_generation_prompt": prompt, **variables}}


CASES = [
    case("user", [user("Hello")]),
    case("user, no prompt", [user("Hello")], prompt=False),
    case("system only", [SYSTEM]),
    case("system", [SYSTEM, user("Hi")]),
    case("developer", [DEVELOPER, user("Hi")]),
    case("turns", [user("1?"), assistant("one"), user("2?"), assistant("two", thinking="hm"), user("3?")]),
    case("ends with the assistant", [user("1?"), assistant("one")], prompt=False),
    case("ends with a thought", [user("1?"), assistant("one", thinking="Well.")], prompt=False),
    case("high effort", [SYSTEM, user("x")], reasoning_effort="high"),
    case("identity", [user("x")], model_identity="You are EdgeMoE.", reasoning_effort="low"),
    case("built-in tools", [user("x")], builtin_tools=["python", "browser", "other"]),
    case("tools", [user("Weather?")], tools=TOOLS),
    case("tools and developer", [DEVELOPER, user("Weather?")], tools=TOOLS[1:]),
    case("call", [user("Weather?"), call("weather", ARGUMENTS, thinking="I ask."), tool("{\"t\": 20}")], tools=TOOLS),
    case("call, then answer",
         [user("Ping"), call("ping", {}, thinking="I ping."), tool("pong"), assistant("Done."), user("Again")],
         tools=TOOLS),
    case("a call's content type",
         [user("Go"), assistant("", tool_calls=[{"name": "run", "arguments": "x = 1", "content_type": "code"}])]),
    case("mark in content", [user("1?"), assistant("[first]<|channel|>final<|message|>x"), user("y")]),
    case("answer without call", [user("1?"), tool("x")]),
    case("content and thinking with a call", [user("1?"), {**call("ping", {}, thinking="a"), "content": "b"}]),
]


def main():
    jinja = reference.environment()
    own = jinja.from_string((pathlib.Path(__file__).parent / "families" / "harmony_like.jinja").read_text(encoding="utf-8"))
    theirs = jinja.from_string(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    for one in CASES:
        one["own"] = reference.render(own, one["context"])
        text = reference.render(theirs, one["context"]).get("text")
        one["gpt-oss"] = {"bytes": len(text.encode()), "fnv1a": reference.fnv1a(text)} if text is not None else {"raises": True}
    lines = [json.dumps(one, ensure_ascii=False) for one in CASES]
    pathlib.Path(sys.argv[2]).write_text("[" + ",\n".join(lines) + "]\n", encoding="utf-8")


main()
