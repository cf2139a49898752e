#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What every file of ours must be: licensed, not too long, finished."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WALL_LINES = 800
ASK_LINES = 400
CODE = {".h", ".cc", ".inc", ".proto", ".py", ".cmake", ".service", ".socket"}
CODE_NAMES = {"CMakeLists.txt", "dev", "run"}
BANNED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
LICENCE = "SPDX-License-Identifier: Apache-2.0"


def main():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    errors = []
    count = 0
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if path.suffix not in CODE and path.name not in CODE_NAMES or not path.is_file():
            continue
        count += 1
        lines = path.read_text().splitlines()
        if not any(LICENCE in line for line in lines[:2]):
            errors.append(f"{name}:1: expected {LICENCE}")
        if len(lines) > WALL_LINES:
            errors.append(f"{name}: {len(lines)} lines, at most {WALL_LINES}")
        elif len(lines) > ASK_LINES:
            print(f"{name}: {len(lines)} lines; why more than {ASK_LINES}?")
        for number, line in enumerate(lines, 1):
            if found := BANNED.search(line):
                errors.append(f"{name}:{number}: {found.group()}")
            if path.suffix in {".h", ".cc"} and line != line.rstrip():
                errors.append(f"{name}:{number}: ends with a blank")
    for error in errors:
        print(error)
    print(f"files: {count} files, {len(errors)} errors")
    return 1 if errors or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
