#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that a script can hold.

- A function has at most 70 lines and 5 parameters.
- No two rooms hold files of the same stem; the folders of engine/kernels, one an instruction set, do by design.
- Each `*_test.cc` and `*_fuzz.cc` stands in one CMakeLists.txt, once.
- The functions and files that docs/life-of-a-token.md names are there.
- docs/dependencies.md names every package that ./dev installs, with its licence, and no other.
- No comment sends its reader elsewhere or speaks in riddles (phrases.txt), and none is torn: a line that ends in
  mid-sentence is full.
- Two things that clang-format 14 and 19 set differently, of which each sees only the other's, are written otherwise.

What breaks a rule today stands in exceptions.txt with its number, and may only shrink: `--shrink` writes the list anew,
without what is no longer needed. `--self-test` runs each rule on small trees with a fault.
"""

import pathlib
import re
import subprocess
import sys
from collections import defaultdict

import cxx_functions

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES_MAX = 70
PARAMETERS_MAX = 5
CODE = (".cc", ".h", ".inc")
ROOM_TOPS = ("engine", "download", "server", "client", "bench", "models")
TORN_COLUMNS = 60
KERNELS = "engine/kernels"
TOKEN_PAGE = "docs/life-of-a-token.md"
DEPENDENCIES = "docs/dependencies.md"


class Tree:
    """The files that git knows, and today's exceptions."""

    def __init__(self, files):
        self.files = files
        self.code = {name: text for name, text in files.items() if name.endswith(CODE)}
        self.exceptions = {}
        for line in files.get(".ci/exceptions.txt", "").splitlines():
            if line.strip() and not line.startswith("#"):
                kind, value, name = line.split(None, 2)
                self.exceptions[kind, name] = value
        self.found = {}

    def excused(self, kind, name, found):
        """Is `found` what the list says? The list shrinks with the code."""
        self.found[kind, name] = found
        return self.exceptions.get((kind, name)) == str(found)


def read_tree():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            check=True, capture_output=True)
    names = [name for name in listed.stdout.decode().split("\0") if (ROOT / name).is_file()]
    kept = CODE + (".txt", ".md", "dev", ".proto")
    return Tree({name: (ROOT / name).read_text(errors="replace") for name in names if name.endswith(kept)})


# ---- the rules: each yields what is wrong ----

def check_functions(tree):
    worst = {}
    for name, text in tree.code.items():
        for function in cxx_functions.functions(text):
            for kind, found, limit in (("lines", function.lines, LINES_MAX),
                                       ("parameters", function.parameters, PARAMETERS_MAX)):
                if found > limit:
                    key = (kind, function.name)
                    worst[key] = max(worst.get(key, (0,)), (found, f"{name}:{function.first}", limit))
    for (kind, function), (found, place, limit) in sorted(worst.items()):
        if not tree.excused(kind, function, found):
            listed = tree.exceptions.get((kind, function), "none")
            yield f"{place}: {function} has {found} {kind}, at most {limit} (.ci/exceptions.txt: {listed})"


def check_stems(tree):
    rooms = defaultdict(set)
    for name in tree.code:
        path = pathlib.PurePosixPath(name)
        if path.parts[0] in ROOM_TOPS and path.stem != "main":
            folder = KERNELS if name.startswith(KERNELS) else str(path.parent)
            rooms[path.stem].add(folder)
    for stem, folders in sorted(rooms.items()):
        if len(folders) > 1 and not tree.excused("stem", " ".join(sorted(folders)), stem):
            yield f"{stem}: rooms {', '.join(sorted(folders))} hold files of this name"


def check_registered(tree):
    """A test stands in a CMakeLists.txt literally, or as a foreach's word: NAME_test.cc is listed as NAME."""
    lists = {name: re.sub(r"#.*", "", text) for name, text in tree.files.items()
             if name.startswith("tests/") and name.endswith("CMakeLists.txt")}
    for name in sorted(tree.code):
        match = re.search(r"^tests/.*_(test|fuzz)\.cc$", name)
        if match:
            count = sum(registrations(name, pathlib.PurePosixPath(lists_name).parent, text)
                        for lists_name, text in lists.items())
            if count != 1:
                yield f"{name}: registered {count} times in tests/**/CMakeLists.txt, expected once"


def registrations(name, folder, text):
    if not name.startswith(f"{folder}/"):
        return 0
    source = name[len(str(folder)) + 1:]
    count = len(re.findall(rf"(?<![\w/]){re.escape(source)}", text))
    for words, body in re.findall(r"foreach\(\w+((?:\s+[\w/]+)+)\)(.*?)endforeach\(\)", text, re.DOTALL):
        for suffix in re.findall(r"SOURCES\s+[^)]*?\$\{\w+\}([\w.]*\.cc)", body):
            count += [word + suffix for word in words.split()].count(source)
    return count


def check_token_page(tree):
    page = tree.files.get(TOKEN_PAGE)
    if page is None:
        yield f"{TOKEN_PAGE}: missing"
        return
    words = set()
    for text in tree.code.values():
        words.update(re.findall(r"\w+", text))
    names = {pathlib.PurePosixPath(name).name for name in tree.files}
    for number, line in enumerate(page.splitlines(), 1):
        for quoted in re.findall(r"`([^`]+)`", line):
            if re.fullmatch(r"[\w/]+\.(cc|h)", quoted):
                if quoted not in tree.files and ("/" in quoted or quoted not in names):
                    yield f"{TOKEN_PAGE}:{number}: there is no file {quoted}"
            elif re.fullmatch(r"[\w:]+", quoted):
                if missing := set(filter(None, quoted.split("::"))) - words:
                    yield f"{TOKEN_PAGE}:{number}: the code has no {', '.join(sorted(missing))} ({quoted})"


def check_dependencies(tree):
    installed = set()
    for body in re.findall(r"^\w+_PACKAGES=\((.*?)\)", tree.files.get("dev", ""), re.DOTALL | re.MULTILINE):
        installed.update(body.split())
    listed = {}
    for line in tree.files.get(DEPENDENCIES, "").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3:
            for package in re.findall(r"`([^`]+)`", cells[0]):
                listed[package] = cells[1]
    for package in sorted(installed - listed.keys()):
        yield f"{DEPENDENCIES}: ./dev installs {package}, which the table does not name"
    for package in sorted(listed.keys() - installed):
        yield f"{DEPENDENCIES}: names {package}, which ./dev does not install"
    for package in sorted(name for name, licence in listed.items() if not licence):
        yield f"{DEPENDENCIES}: {package} has no licence"
    if not installed:
        yield "dev: no lists of packages found"


def check_phrases(tree):
    phrases = [line for line in tree.files.get(".ci/phrases.txt", "").splitlines()
               if line and not line.startswith("#")]
    pattern = re.compile("|".join(phrases) if phrases else r"$^")
    for name, text in sorted(tree.code.items()):
        found = []
        for number, line in enumerate(text.splitlines(), 1):
            if match := pattern.search(line.partition("//")[2]):
                found.append(f"{name}:{number}: a reader stops at {match.group()!r}; say it here (.ci/phrases.txt)")
        if found and not tree.excused("phrases", name, len(found)):
            yield from found


def check_torn(tree):
    for name, text in sorted(tree.code.items()):
        lines = text.splitlines()
        for number, (line, following) in enumerate(zip(lines, lines[1:]), 1):
            first, second = (re.fullmatch(r"(\s*)// (\S.*)", each) for each in (line, following))
            if first and second and first[1] == second[1] and re.match(r"[a-z]", second[2]):
                if len(line) < TORN_COLUMNS and re.search(r"\w$", first[2]) and "  " not in first[2] + second[2]:
                    yield f"{name}:{number}: the comment's line ends early: {first[2]!r}"


TWO_FORMATS = (
    (re.compile(r"\s*(?:const |static )*struct \w+ \w+ ?\{"), "write `= {}`"),
    (re.compile(r"\s*\{ .*; \}"), "write it without a block"),
)


def check_two_formats(tree):
    for name, text in sorted(tree.code.items()):
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, instead in TWO_FORMATS:
                if pattern.match(line):
                    yield f"{name}:{number}: clang-format 14 and 19 set {line.strip()!r} differently: {instead}"


RULES = (check_functions, check_stems, check_registered, check_token_page, check_dependencies, check_phrases,
         check_torn, check_two_formats)


def check(tree):
    errors = [error for rule in RULES for error in rule(tree)]
    for kind, name in sorted(tree.exceptions.keys() - tree.found.keys()):
        errors.append(f".ci/exceptions.txt: {kind} {name}: no longer needed; remove it")
    return errors


def shrink(tree):
    """Exceptions that are still needed, at the number of today, if that is less."""
    kept = []
    for line in tree.files[".ci/exceptions.txt"].splitlines(keepends=True):
        if line.strip() and not line.startswith("#"):
            kind, value, name = line.split(None, 2)
            found = tree.found.get((kind, name.strip()))
            if found is None:
                continue
            if str(found) != value and value.isdigit() and found < int(value):
                line = f"{kind} {found} {name}"
        kept.append(line)
    (ROOT / ".ci/exceptions.txt").write_text("".join(kept))


def main():
    if sys.argv[1:] == ["--self-test"]:
        import rules_self_test
        return rules_self_test.main()
    tree = read_tree()
    errors = check(tree)
    if sys.argv[1:] == ["--shrink"]:
        shrink(tree)
        tree = read_tree()
        errors = check(tree)
    for error in errors:
        print(error)
    print(f"rules: {len(tree.code)} files, {len(tree.exceptions)} exceptions, {len(errors)} errors")
    return 1 if errors or not tree.code else 0


if __name__ == "__main__":
    sys.exit(main())
