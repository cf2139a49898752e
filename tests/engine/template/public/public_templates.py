#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Public chat templates, whose text is not ours: templates.json holds where they are, their SHA-256, and hashes of what
Jinja makes of them for each of ../conversations.json. public_templates_test.cc reads them from a folder.

usage: public_templates.py collect CLONES FOLDER   copies the listed files, at their commits, out of the repositories
                                                   CLONES/OWNER/NAME (git) to FOLDER
       public_templates.py record FOLDER           renders FOLDER's files with python3-jinja2, into templates.json
"""
import hashlib
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LIST = HERE / "templates.json"
sys.path.insert(0, str(HERE.parent))


def checked(entry, content):
    found = hashlib.sha256(content).hexdigest()
    if found != entry["sha256"]:
        sys.exit(f"{entry['name']}: found SHA-256 {found}; accepted: {entry['sha256']}")
    return content


def collect(templates, clones, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for one in templates:
        shown = subprocess.run(["git", "-C", str(clones / one["repository"]), "show", f"{one['commit']}:{one['path']}"],
                               check=True, stdout=subprocess.PIPE)
        (folder / one["name"]).write_bytes(checked(one, shown.stdout))
    print(f"{len(templates)} templates in {folder}")


def recorded(rendered):
    if "text" in rendered:
        return reference.fnv1a(rendered["text"])
    said = rendered["raises"]
    return {"raises": None if said is None else reference.fnv1a(said)}


def record(templates, folder):
    conversations = json.loads((HERE.parent / "conversations.json").read_text(encoding="utf-8"))
    environment = reference.environment()
    for one in templates:
        source = checked(one, (folder / one["name"]).read_bytes()).decode()
        template = environment.from_string(source)
        one["fnv1a"] = reference.fnv1a(source)
        one["rendered"] = {case["name"]: recorded(reference.render(template, case["context"])) for case in conversations}
    LIST.write_text("[\n" + ",\n".join(json.dumps(one) for one in templates) + "\n]\n", encoding="utf-8")


def main():
    templates = json.loads(LIST.read_text(encoding="utf-8"))
    if len(sys.argv) == 4 and sys.argv[1] == "collect":
        collect(templates, pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    elif len(sys.argv) == 3 and sys.argv[1] == "record":
        record(templates, pathlib.Path(sys.argv[2]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    if sys.argv[1:2] == ["record"]:
        import reference
    main()
