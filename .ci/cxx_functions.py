# SPDX-License-Identifier: Apache-2.0
"""Finds the functions of a C++ source: name, first and last line, number of parameters. It reads what clang-format
wrote, without a compiler: functions at namespace and class scope; lambdas belong to the function around them."""

import re
from typing import NamedTuple

KEPT = re.compile(
    r'R"(?P<end>[^()\\ ]*)\(.*?\)(?P=end)"'  # raw strings
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"
    r"|//[^\n]*|/\*.*?\*/"
    r"|^[ \t]*#(?:\\\n|[^\n])*",  # preprocessor lines
    re.DOTALL | re.MULTILINE)
TYPE = re.compile(r"^(?:template\b.*>\s*)?(?:typedef\s+)?(?:class|struct|union|enum)\b", re.DOTALL)
NAME = re.compile(r"([\w:~<>]*(?:operator\s*(?:\(\)|[^\s\w(]+|\w+)|~?\w+))\s*$")


class Function(NamedTuple):
    name: str
    first: int
    last: int
    parameters: int

    @property
    def lines(self):
        return self.last - self.first + 1


def blank(match):
    """Comments, strings and directives become blanks: positions and lines stay."""
    return re.sub(r"[^\n]", " ", match.group())


def closing(text, start):
    """The position of the bracket that closes the one at `start`."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    depth = 0
    for position in range(start, len(text)):
        if text[position] in pairs:
            depth += 1
        elif text[position] in ")}]":
            depth -= 1
            if depth == 0:
                return position
    return len(text) - 1


def count_parameters(text):
    text = text.strip()
    if text in ("", "void"):
        return 0
    depth = commas = 0
    for position, char in enumerate(text):
        if char in "([{<":
            depth += 1
        elif char in ")]}" or char == ">" and text[position - 1] != "-":
            depth -= 1
        elif char == "," and depth == 0:
            commas += 1
    return commas + 1


def parameter_list(header):
    """Where the parameters stand in what comes before a body, or None: this is no function."""
    if TYPE.match(header.strip()) or re.match(r"\s*(?:inline\s+)?namespace\b|\s*extern\b", header):
        return None
    start = header.find("(")
    call = re.search(r"operator\s*\(\)\s*\(", header)
    if call:
        start = call.end() - 1
    if start < 0 or re.search(r"(?<![=!<>])=(?!=)", re.sub(r"operator\s*[=!<>]+", "", header[:start])):
        return None
    return start, closing(header, start)


def is_member_initializer(header, end):
    """`Pool() : size_{4} {`: the brace after size_ is not the body."""
    rest = header[end + 1:].replace("::", "  ")
    return ":" in rest and re.search(r"[\w>]\s*$", rest) is not None


def functions(source):
    text = KEPT.sub(blank, source)
    found = []
    begin = position = 0
    while position < len(text):
        char = text[position]
        if char == "{":
            header = text[begin:position]
            place = parameter_list(header)
            if place and is_member_initializer(header, place[1]):
                position = closing(text, position)
            elif place or "=" in header:
                end = closing(text, position)
                if place:
                    found.append(describe(text, begin, end, header, place))
                position = end
                begin = end + 1
            else:  # a namespace, a class, an enum
                begin = position + 1
        elif char in ";}":
            begin = position + 1
        elif char == "(":
            position = closing(text, position)
        elif char == ":" and re.search(r"\b(public|private|protected)\s*$", text[begin:position]):
            begin = position + 1
        position += 1
    return found


def describe(text, begin, end, header, place):
    start = begin + len(header) - len(header.lstrip())
    before = header[:place[0]]
    match = NAME.search(before)
    name = match.group(1) if match else before.strip().split()[-1] if before.strip() else "?"
    inside = header[place[0] + 1:place[1]]
    if re.fullmatch(r"(TYPED_)?TEST(_F|_P)?", name):
        return Function(re.sub(r"\s*,\s*", ".", inside.strip()), line(text, start), line(text, end), 0)
    return Function(name, line(text, start), line(text, end), count_parameters(inside))


def line(text, position):
    return text.count("\n", 0, position) + 1
