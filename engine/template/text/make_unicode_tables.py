#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes unicode_tables.inc: what Python's own copy of the Unicode Character Database
(https://www.unicode.org/Public/) says of each character, through the methods of str.

usage: make_unicode_tables.py > unicode_tables.inc
"""

import sys
import unicodedata

CHARACTERS = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]


def is_case_ignorable(c):
    """A capital sigma is a final one unless a letter follows; such characters in between do not count."""
    return ("aΣ" + c).lower()[1] == "ς" and ("aΣ" + c + "a").lower()[1] == "σ"


CLASSES = {
    "Alphabetic": str.isalpha,
    "Digit": str.isdigit,
    "Numeric": str.isnumeric,
    "Printable": str.isprintable,
    "Uppercase": str.isupper,
    "Lowercase": str.islower,
    "Titlecase": lambda c: c.istitle() and not c.isupper(),
    "CaseIgnorable": is_case_ignorable,
}
# Title case only where it is not upper case.
MAPPINGS = {
    "Upper": (str.upper, lambda c: c.upper() != c),
    "Lower": (str.lower, lambda c: c.lower() != c),
    "Title": (str.title, lambda c: c.title() != c.upper()),
}


def ranges(has):
    found = []
    for code in [ord(c) for c in CHARACTERS if has(c)]:
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def runs(change, applies):
    """Characters that move by the same distance: first, last, the step between them, the distance."""
    found = []
    for c in CHARACTERS:
        to = change(c)
        if len(to) != 1 or not applies(c):
            continue
        code, distance = ord(c), ord(to) - ord(c)
        if found and found[-1][3] == distance:
            run = found[-1]
            step = code - run[1]
            if (run[0] == run[1] and step <= 2) or step == run[2]:
                run[1], run[2] = code, step
                continue
        found.append([code, code, 1, distance])
    return found


def print_table(type_name, name, rows):
    print(f"\nconstexpr {type_name} k{name}[] = {{")
    line = "   "
    for row in rows:
        text = " " + row + ","
        if len(line) + len(text) > 118:
            print(line)
            line = "   "
        line += text
    print(line)
    print("};")


def main():
    print("// SPDX-License-Identifier: Apache-2.0")
    print(f"// Unicode {unicodedata.unidata_version}. Written by make_unicode_tables.py.")
    for name, has in CLASSES.items():
        print_table("Range", name, [f"{{{a:#x}, {b:#x}}}" for a, b in ranges(has)])
    for name, (change, applies) in MAPPINGS.items():
        rows = [f"{{{a:#x}, {b:#x}, {s}, {d}}}" for a, b, s, d in runs(change, applies)]
        print_table("Run", name, rows)
        long = [(ord(c), change(c)) for c in CHARACTERS if applies(c) and len(change(c)) > 1]
        rows = [f"{{{c:#x}, {{{', '.join(f'{ord(t):#x}' for t in to)}}}}}" for c, to in long]
        print_table("Expansion", name + "Long", rows)


if __name__ == "__main__":
    main()
