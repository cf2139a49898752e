#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random snippets of templates, and what Jinja makes of them, set up as the models' own library does.

usage: snippets.py SEED COUNT > snippets.json

A list of {"source", "text"}; "text" is null where Jinja refuses. Exits with 77 without python3-jinja2.
"""

import json
import random
import sys

try:
    from jinja2.sandbox import ImmutableSandboxedEnvironment
except ImportError:
    sys.exit(77)

TEXTS = ["''", "'abc'", "'Hello World'", "' a  b '", "'x-y z'", "'ÉtÉ ß'", "'ΟΔΟΣ'", "'日本語'", "'a,b,,c'",
         "'12'", "'-3.5'", "'0x1F'", "'it''s'", "'l1\\nl2\\r\\n\\nl4'", "\"q'\\\"\\\\\""]
NUMBERS = ["0", "1", "-7", "3", "2.5", "-0.5", "10", "true", "false"]
LISTS = ["[]", "[3, 1, 2]", "['b', 'A', 'c', 'a']", "[1, 'x', none, true, 2.5]", "[[1, 2], [3]]", "range(5)|list"]
ROWS = ["[{'k': 'a', 'v': 1}, {'k': 'B', 'v': 2}, {'k': 'a', 'v': 3}]"]
DICTIONARIES = ["{}", "{'a': 1, 'B': [2], 'c': none}"]
TEXT_FILTERS = ["upper", "lower", "title", "capitalize", "trim", "trim('a')", "center(9)", "center(4)", "length",
                "wordcount", "replace('a', 'XY')", "replace('', '.')", "indent", "indent(2, true)", "truncate(5, leeway=0)",
                "truncate(6, true, '~', 0)", "truncate(8)", "int", "int(7)", "int(0, 16)", "int(5, 0)", "float",
                "list", "first", "last", "batch(2)|list", "slice(3)|list", "reverse", "string", "tojson",
                "default('d')", "default('d', true)", "unique|list", "sort", "join('-')", "max", "min"]
METHODS = ["strip()", "upper()", "lower()", "title()", "capitalize()", "swapcase()", "split()", "split(',')",
           "rsplit(',', 1)", "splitlines()", "startswith('a')", "endswith(('c', 'd'))", "find('b')", "rfind('l')",
           "count('l')", "replace('l', '')", "isdigit()", "isalpha()", "isalnum()", "isupper()", "islower()",
           "isspace()", "lstrip('a ')", "removeprefix('a')"]
LIST_FILTERS = ["length", "first", "last", "sort", "sort(reverse=true)", "unique|list", "reverse|list", "join",
                "join(', ')", "sum", "max", "min", "batch(2)|list", "batch(2, 0)|list", "slice(2)|list", "slice(2, 'f')|list",
                "map('string')|list", "map('upper')|join", "select|list", "reject|list", "select('string')|list",
                "reject('none')|list", "select('gt', 1)|list", "tojson", "tojson(indent=2)", "list", "string"]
ROW_FILTERS = ["map(attribute='k')|list", "map(attribute='z', default=0)|list", "selectattr('v')|list",
               "selectattr('v', 'gt', 1)|list", "rejectattr('k', 'eq', 'a')|map(attribute='v')|sum", "sum(attribute='v')",
               "sort(attribute='v', reverse=true)|tojson", "sort(attribute='k')", "unique(attribute='k')|list", "tojson"]
NUMBER_FILTERS = ["int", "float", "abs", "string", "round(1)", "default(1)", "tojson", "upper"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping",
         "sequence", "iterable", "upper", "lower", "even", "odd", "divisibleby 3", "eq 1", "in [1, 'abc']"]
OPERATORS = ["+", "-", "*", "/", "//", "%", "<", "<=", ">", "==", "!=", "~", "and", "or", "in"]
SLICES = ["[0]", "[-1]", "[1:]", "[:-1]", "[::-1]", "[::2]", "[9]"]


def value(rng):
    kind = rng.randrange(5)
    if kind == 0:
        return f"{rng.choice(TEXTS)}.{rng.choice(METHODS)}"
    if kind == 1:
        return rng.choice(LISTS) + " | " + rng.choice(LIST_FILTERS)
    if kind == 2:
        return rng.choice(ROWS) + " | " + rng.choice(ROW_FILTERS)
    if kind == 3:
        return rng.choice(NUMBERS) + " | " + rng.choice(NUMBER_FILTERS)
    return rng.choice(TEXTS) + " | " + rng.choice(TEXT_FILTERS)


def any_value(rng):
    return rng.choice(TEXTS + NUMBERS + LISTS + DICTIONARIES + ["none", "missing"])


def snippet(rng):
    kind = rng.randrange(9)
    if kind < 3:
        return "{{ " + value(rng) + " }}"
    if kind == 3:
        return f"{{{{ {rng.choice(TEXTS)}|{rng.choice(TEXT_FILTERS)}|{rng.choice(TEXT_FILTERS)} }}}}"
    if kind == 4:
        return f"{{{{ ({any_value(rng)}) is {rng.choice(TESTS)} }}}}"
    if kind == 5:
        same = rng.choice([TEXTS, NUMBERS])
        return f"{{{{ {rng.choice(same)} {rng.choice(OPERATORS)} {rng.choice(same)} }}}}"
    if kind == 6:
        return f"{{{{ ({rng.choice(TEXTS + LISTS)}){rng.choice(SLICES)} }}}}"
    if kind == 7:
        return (f"{{% for x in {rng.choice(LISTS)} %}}\n  {{{{ loop.index }}}}{{{{ x }}}}"
                f"{{{{ loop.changed(x) }}}}{{{{ loop.last }}}}\n{{% else %}}\nnone\n{{% endfor %}}\n"
                f"{{% set y | {rng.choice(['upper', 'trim', 'title'])} %}}{rng.choice(['ab c', ' x '])}{{% endset %}}{{{{ y }}}}")
    return (f"{{% macro m(a, b={rng.choice(NUMBERS)}) %}}{{{{ a }}}};{{{{ b }}}};{{{{ varargs|join('+') }}}};"
            f"{{{{ kwargs.c }}}}{{% endmacro %}}{{% with z={any_value(rng)} %}}"
            f"{{{{ m({rng.choice(['', 'z', '1, 2, 3', 'b=z', '1, c=2'])}) }}}}{{% endwith %}}")


def main():
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda x, indent=None: json.dumps(x, ensure_ascii=False, indent=indent)
    rng = random.Random(int(sys.argv[1]))
    found = {}
    for _ in range(int(sys.argv[2])):
        source = snippet(rng)
        try:
            text = environment.from_string(source).render()
            # An iterator printed as such: its address is in no text that anybody wants.
            if " object at 0x" not in text:
                found[source] = text
        except Exception:  # pylint: disable=broad-except
            found[source] = None
    rows = [json.dumps({"source": s, "text": t}, ensure_ascii=False) for s, t in found.items()]
    print("[\n" + ",\n".join(rows) + "\n]")


if __name__ == "__main__":
    main()
