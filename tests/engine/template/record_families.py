#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what Jinja makes of families/*.jinja for each of conversations.json, in families/golden.json, for
families_test.cc.
"""
import json
import pathlib

import reference

HERE = pathlib.Path(__file__).resolve().parent


def main():
    jinja = reference.environment()
    conversations = json.loads((HERE / "conversations.json").read_text(encoding="utf-8"))
    golden = {}
    for path in sorted((HERE / "families").glob("*.jinja")):
        template = jinja.from_string(path.read_text(encoding="utf-8"))
        golden[path.name] = {one["name"]: reference.render(template, one["context"]) for one in conversations}
    (HERE / "families" / "golden.json").write_text(json.dumps(golden, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


main()
