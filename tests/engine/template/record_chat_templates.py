#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what Jinja makes of each conversation in chat_template_golden.json, in that file, for
chat_template_golden_test.cc.

usage: record_chat_templates.py [TEMPLATE.jinja...]
  TEMPLATE  of a model, recorded under its file's name; of those that are not given, the file keeps what it has

qwen_like.jinja is always recorded.
"""
import json
import pathlib
import sys

import reference

HERE = pathlib.Path(__file__).resolve().parent


def main():
    jinja = reference.environment()
    golden = HERE / "chat_template_golden.json"
    cases = json.loads(golden.read_text(encoding="utf-8"))
    for path in [HERE / "families" / "qwen_like.jinja", *map(pathlib.Path, sys.argv[1:])]:
        template = jinja.from_string(path.read_text(encoding="utf-8"))
        for one in cases:
            one["rendered"][path.name] = template.render(**one["context"])
    golden.write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")


main()
