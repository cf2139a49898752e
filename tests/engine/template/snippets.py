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
    import reference
except ImportError:
    sys.exit(77)

TEXTS = ["''", "'abc'", "'Hello World'", "' a  b '", "'x-y z'", "'ÉtÉ ß'", "'ΟΔΟΣ'", "'日本語'", "'a,b,,c'",
         "'12'", "'-3.5'", "'0x1F'", "'it''s'", "'l1\\nl2\\r\\n\\nl4'", "\"q'\\\"\\\\\""]
NUMBERS = ["0", "1", "-7", "3", "2.5", "-0.5", "10", "true", "false"]
LISTS = ["[]", "[3, 1, 2]", "['b', 'A', 'c', 'a']", "[1, 'x', none, true, 2.5]", "[[1, 2], [3]]", "range(5)|list"]
TUPLES = ["()", "(1,)", "(3, 1, 2)", "('b', 'A')", "(1, 'x', none)", "((1, 2), [3])"]
ROWS = ["[{'k': 'a', 'v': 1}, {'k': 'B', 'v': 2}, {'k': 'a', 'v': 3}]",
        "[{'k': 'b', 'v': 1}, {'k': 'A', 'v': 2}, {'k': 'a', 'v': 3}, {'k': 'B', 'v': 1}]",
        "[{'k': 'x', 'v': 2, 'n': [1]}, {'k': 'é', 'v': 1, 'n': [2], 'd': {'e': 1}}, {'k': 'x', 'v': 0, 'z': 'q', 'n': [1]}]"]
DICTIONARIES = ["{}", "{'a': 1, 'B': [2], 'c': none}", "{0: 'x', 1.5: (2,)}"]
SCALARS = ["'abc'", "'é'", "\"it's\"", "''", "3", "-7", "0", "2.5", "-0.125", "1e15", "12345", "true", "none", "missing", "65",
           "[1, 'a']", "(1, 2)", "{'a': 1}"]
TREES = ["[{'v': 'a', 'c': [{'v': 'b', 'c': []}, {'v': 'c', 'c': [{'v': 'd'}]}]}, {'v': 'e'}]", "[]", "[{'v': 'x', 'c': none}]",
         "[{'v': 'x', 'c': [{'v': 'y', 'c': []}]}]"]
LOOP_PARTS = ["loop.index", "loop.index0", "loop.revindex", "loop.revindex0", "loop.first", "loop.last", "loop.length", "loop.depth",
              "loop.previtem", "loop.nextitem", "loop.cycle('a', 'b')", "loop.cycle(x, 1)", "loop.changed(x)", "loop.changed(loop.first, 1)",
              "loop.changed()", "loop", "loop.depth0", "loop.previtem is defined", "loop.cycle()", "loop|length", "[loop]", "loop.foo"]
BLOCK_FILTERS = ["upper", "trim", "title", "replace('a', 'bb')", "indent(2)", "indent(first=true)", "center(9)", "format('x')",
                 "truncate(4, leeway=0)", "length", "wordcount", "default('d', true)", "capitalize", "list", "join('-')"]
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
    return rng.choice(TEXTS + NUMBERS + LISTS + DICTIONARIES + TUPLES + ["none", "missing"])


# ---- one function a construct


def expression(rng):
    return "{{ " + value(rng) + " }}"


def two_filters(rng):
    return f"{{{{ {rng.choice(TEXTS)}|{rng.choice(TEXT_FILTERS)}|{rng.choice(TEXT_FILTERS)} }}}}"


def test(rng):
    return f"{{{{ ({any_value(rng)}) is {rng.choice(TESTS)} }}}}"


def operator(rng):
    same = rng.choice([TEXTS, NUMBERS, LISTS, TUPLES])
    return f"{{{{ {rng.choice(same)} {rng.choice(OPERATORS)} {rng.choice(same)} }}}}"


def part(rng):
    return f"{{{{ ({rng.choice(TEXTS + LISTS + TUPLES)}){rng.choice(SLICES)} }}}}"


def loop(rng):
    parts = rng.sample(LOOP_PARTS, 3)
    inner = rng.choice(["", f"{{% for y in {rng.choice(LISTS)} %}}{{{{ loop.depth }}}}{{{{ loop.index0 }}}}{{% endfor %}}"])
    control = rng.choice(["", "{% if x == 1 %}{% break %}{% endif %}", "{% if loop.first %}{% continue %}{% endif %}"])
    return (f"{{% for x in {rng.choice(LISTS + TUPLES + TEXTS)}{rng.choice(['', ' if x'])} %}}\n  {{{{ x }}}}{control}"
            + "".join("{{ " + one + " }}|" for one in parts) + inner
            + "\n{% else %}\nnone\n{% endfor %}\n")


def tree(rng):
    body = rng.choice(["{{ n.v }}({{ loop(n.c) }})", "{{ loop.depth }}{{ n.v }}{% if n.c %}[{{ loop(n.c)|upper }}]{% endif %}",
                       "{{ loop.index }}/{{ loop.depth0 }}{{ loop(n.c) if n.c else '.' }}"])
    return "{% for n in " + rng.choice(TREES) + " recursive %}" + body + "{% else %}-{% endfor %}"


def unpacking(rng):
    pairs = rng.choice(["{'a': 1, 'B': [2]}.items()", "[(1, 'x'), (2, 'y')]", "[[1, 2], [3, 4]]", "{'b': 2, 'a': 1}|dictsort",
                        "{'a': 1}|items", "{2: 'x', 1: 'y'}|dictsort", "[(1, 2, 3)]", "['ab', 'cd']"])
    return f"{{% for k, v in {pairs} %}}{{{{ k }}}}={{{{ v }}}};{{% endfor %}}{{{{ ({pairs})|list }}}}"


def group(rng):
    arguments = rng.choice(["'k'", "'k', case_sensitive=true", "'z', default='none'", "attribute='v'", "'k', 'd'", "'z'",
                            "'d.e', default=0", "0", "'n.0'", ""])
    body = rng.choice(["{{ g.grouper }}:{{ g.list|length }};", "{{ g[0] }}{{ g[1]|map(attribute='v')|list }}", "{{ g }}",
                       "{{ g|length }}{{ g.list[0] }}{{ g.other }}", "{{ g|tojson }}", "{{ g == (g[0], g.list) }}"])
    rows = rng.choice(ROWS + ["[[1, 2], [1, 3], [0, 4]]", "[(2, 1), (1, 1), (2, 0)]", "[]", "missing", "none"])
    if rng.randrange(3) == 0:
        return f"{{% for k, xs in {rows}|groupby({arguments}) %}}{{{{ k }}}}->{{{{ xs }}}};{{% endfor %}}"
    return f"{{% for g in {rows}|groupby({arguments}) %}}{body}{{% endfor %}}"


def conversion(rng):
    return ("%" + rng.choice(["", "", "", "-", "0", "+", " ", "-0", "+0"]) + rng.choice(["", "", "5", "08", "12", "*"])
            + rng.choice(["", "", ".2", ".0", ".5", ".*"]) + rng.choice("ssssdddfffxrrXogGeEiuca%%qlh"))


def formatting(rng):
    values = [rng.choice(SCALARS) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
    text = "|".join(conversion(rng) for _ in range(len(values) if rng.randrange(5) else rng.randrange(3)))
    kind = rng.randrange(4)
    if kind == 0:
        return f"{{{{ '{text}' % ({', '.join(values)}{',' if len(values) == 1 else ''}) }}}}"
    if kind == 1:
        return f"{{{{ '{text}' % {any_value(rng)} }}}}"
    if kind == 2:
        names = text.replace("%", "%(" + rng.choice(["a", "b", "c"]) + ")")
        given = ", ".join(f"{name}={one}" for name, one in zip("abc", values))
        return f"{{{{ '{names}'|format({given}) }}}}"
    return f"{{{{ '{text}'|format({', '.join(values)}) }}}}"


def macro(rng):
    body = rng.choice(["{{ a }};{{ b }};{{ varargs|join('+') }};{{ kwargs.c }}", "{{ varargs }}{{ kwargs }}", "{{ a }}{{ varargs }}",
                       "{{ kwargs|length }}{{ b }}", "{{ a }}{{ b }}", "{% for k, v in kwargs.items() %}{{ k }}{{ v }}{% endfor %}"])
    given = rng.choice(["", "z", "1, 2, 3", "b=z", "1, c=2", "1, 2, 3, 4, c=5, d=z", "1, a=2", "c=(1, 2)", "*[1, 2]", "1, *z", "*(1, 2), c=3",
                        "**{'a': 1}", "1, **{'c': z}", "b=2, *[1]", "*[1], **{'b': 2, 'd': 3}", "a=1, **{'a': 2}", "**z", "*'xyz'"])
    return (f"{{% macro m(a, b={rng.choice(NUMBERS + ['a'])}) %}}{body}{{% endmacro %}}"
            f"{{% with z={any_value(rng)} %}}{{{{ m({given}) }}}}{{% endwith %}}{rng.choice(['', '{{ m }}'])}")


def call(rng):
    body = rng.choice(["<{{ caller() }}>", "{{ caller(a) }}{{ caller(b, 1) }}", "{{ caller(a)|upper }}", "{{ caller is defined }}{{ a }}",
                       "{% for x in [1, 2] %}{{ caller(x) }}{% endfor %}", "{{ a }}", "{{ kwargs }}", "{{ varargs }}{{ caller() }}",
                       "{{ caller(x=a) }}", "{{ caller }}", "{% call n() %}{{ a }}{{ caller is defined }}{% endcall %}"])
    parameters = rng.choice(["", "()", "(x)", "(x, y=2)", "(x='d')"])
    inner = rng.choice(["{{ x }}", "text {{ y }}", "{{ z }}{{ x }}", "{{ varargs }}", "{% set z = 9 %}{{ z }}", "{{ a }}", "{{ loop.index }}"])
    block = f"{{% call{parameters} m({rng.choice(['', '1', 'z', '1, 2', '1, 2, 3', 'b=z'])}) %}}{inner}{{% endcall %}}"
    around = rng.choice(["%s{{ z }}", "{%% for z in 'ab' %%}%s{%% endfor %%}", "{%% with z=7 %%}%s{%% endwith %%}",
                         "{%% macro outer(z) %%}%s{%% endmacro %%}{{ outer('o') }}", "%s{{ m() }}"])
    return (f"{{% macro n() %}}({{{{ caller() }}}}){{% endmacro %}}{{% macro m(a, b=0) %}}{body}{{% endmacro %}}"
            f"{{% set z = {rng.choice(SCALARS)} %}}{around % block}")


def closure(rng):
    use = rng.choice(["{{ m() }}", "{{ m(1) }}", "{% set x = 5 %}{{ m() }}"])
    # Behind a loop its variables are not what the macro saw in Jinja, but a word of its own implementation.
    around = rng.choice(["{%% for x in [1, 2] %%}%s{%% endfor %%}", "{%% with x=3 %%}%s{%% endwith %%}", "%s{%% set ns.f = m %%}",
                         "{%% set x = 4 %%}%s{%% set ns.f = m %%}"])
    made = "{% macro m(p=x) %}{{ p }}{{ x }}{% endmacro %}" + use
    return "{% set ns = namespace() %}" + around % made + "{{ ns.f() if ns.f is defined }}{{ x }}"


def block(rng):
    # What is escaped is another type of text in Jinja, so that nothing may follow.
    filters = "|".join(rng.choice(BLOCK_FILTERS) for _ in range(rng.choice([1, 1, 2]))) if rng.randrange(8) else "escape"
    text = rng.choice(["ab c", " x ", "l1\nl2\n", "<a&'b'>", "{{ 'é' }} %s", "", "{% set w = 2 %}{{ w }}"])
    if rng.randrange(2):
        return f"{{% filter {filters} %}}{text}{{% endfilter %}}{{{{ w }}}}"
    return f"{{% set y | {filters} %}}{text}{{% endset %}}[{{{{ y }}}}]{{{{ y|length }}}}"


def dictionary(rng):
    keys = rng.sample(["0", "1", "1.0", "true", "none", "'a'", "'1'", "2.5", "-3", "(1, 2)", "()", "'é'", "[1]", "{}"], rng.randrange(4))
    made = "{" + ", ".join(f"{key}: {rng.choice(SCALARS)}" for key in keys) + "}"
    key = rng.choice(keys + ["0", "'a'", "1", "[1]"])
    return (f"{{% set d = {made} %}}" + "{{ "
            + rng.choice(["d", f"d[{key}]", f"{key} in d", f"d.get({key}, 'no')", "d.items()", "d.keys()|list", "d.values()", "d|length",
                          "d|tojson", "d|list", "d|dictsort", "d|items|list", "d == d.copy()", "d|first", "d|attr('a')", "d.a",
                          "dict(d, z=1)", "d|string|length", "d|tojson(indent=1)"]) + " }}")


def namespaces(rng):
    steps = rng.sample(["{% set ns.a = ns.a + 1 %}", "{% set o.inner = ns %}", "{% set ns.list = [ns.a, 2] %}", "{% set box = [ns, o] %}",
                        "{% for x in [ns, o] %}{% set x.seen = loop.index %}{% endfor %}", "{% set ns.o = o %}", "{% set ns.d = {'n': ns} %}",
                        "{% set p = (ns,) %}", "{% for i in [1, 2] %}{% set ns.a = ns.a + i %}{% endfor %}"], 4)
    uses = rng.sample(["{{ ns.a }}", "{{ o.inner.a }}", "{{ box[0].a }}", "{{ ns.seen }}{{ o.seen }}", "{{ ns.d.n.a }}", "{{ p[0].a }}",
                       "{{ ns.list }}", "{{ box|length if box }}", "{{ ns.missing }}", "{{ [ns] == [ns] }}", "{{ [o, 1] }}",
                       "{{ ns is mapping }}{{ ns is iterable }}", "{{ ns in [o, ns] }}", "{{ ns|attr('a') }}"], 4)
    return "{% set ns = namespace(a=1) %}{% set o = namespace({'k': 2}, b='x') %}" + "".join(steps) + "/".join(uses)


def printed(rng):
    return ("{{ " + rng.choice([f"({any_value(rng)}, {any_value(rng)})", f"({any_value(rng)},)", f"[{any_value(rng)}, ({any_value(rng)},)]",
                                f"{{'k': {any_value(rng)}}}", "()", f"{any_value(rng)}, {any_value(rng)}", f"[{any_value(rng)}]|tojson",
                                f"({any_value(rng)}, 1)|list", f"({any_value(rng)}, 1) == [{any_value(rng)}, 1]",
                                f"(1, 2)|{rng.choice(LIST_FILTERS)}", "(1, (2,), [])|tojson"])
            + " }}")


def nothing(rng):
    return "{{ (" + rng.choice(["none", "missing", "0", "''", "[]", "{}", "false"]) + ")|" + rng.choice(
        ["selectattr('a')|list", "rejectattr('a')|list", "select|list", "reject('odd')|list", "map('upper')|list", "map(attribute='a')|list",
         "list", "length", "join", "first", "last", "sum", "max", "sort", "unique|list", "batch(2)|list", "slice(2)|list", "items|list",
         "dictsort", "tojson", "string", "upper", "int", "float", "default('d')", "default('d', true)", "reverse|list", "groupby('a')",
         "format", "indent", "center(3)", "truncate", "wordcount", "attr('a')", "abs", "round", "title"]) + " }}"


def sorting(rng):
    return "{{ " + rng.choice(ROWS + ["[{'k': 'b', 'v': none}]", "[(2, 'a'), (1, 'B'), (1, 'a')]"]) + "|" + rng.choice(
        ["sort(attribute='k,v')", "sort(attribute='v,k', reverse=true)", "sort(attribute='k', case_sensitive=true)", "sort",
         "min(attribute='v')", "max(attribute='k')", "unique(attribute='k', case_sensitive=true)|list", "map(attribute='d.e', default=0)|list",
         "sort(attribute=0)", "sort(attribute='1')", "join(', ', attribute='k')", "sum(attribute='v')", "unique|list"]) + " }}"


def width(rng):
    return "{{ " + rng.choice(TEXTS + ["'the quick brown fox jumps'", "'a\\n\\nb c\\n'"]) + "|" + rng.choice(
        [f"center({rng.randrange(12)})", f"truncate({rng.randrange(14)})", f"truncate({rng.randrange(14)}, {rng.choice(['true', 'false'])}, "
         f"{rng.choice(['~', '', '...']) !r}, {rng.randrange(4)})", f"indent({rng.randrange(6)}, {rng.choice(['true', 'false'])}, "
         f"{rng.choice(['true', 'false'])})", "indent('> ')", f"batch({rng.randrange(-1, 4)}, '-')|list", f"slice({rng.randrange(-1, 4)})|list",
         "indent(first=true)", "indent(-1)", f"round({rng.randrange(3)})"]) + " }}"


def wrapping(rng):
    words = ["a", "bb-cc", "long-hyphenated-words-here", "--", "x--y", "don't---stop", "3-4", "e-f-g", "été-fini", "supercalifragilistic",
             "日本語の文", "-", "end.", "(see", "no-1-x", "_a-b_c", "well,--yes", "ab-cd--ef"]
    text = "".join(rng.choice(words) + rng.choice([" ", " ", "  ", "\\n", "\\t", "\\n\\n", "\u00a0", ""]) for _ in range(rng.randrange(9)))
    arguments = [str(rng.choice([0, 1, 3, 5, 8, 12, 20, 79]))] + rng.choice(
        [[], ["false"], ["true", "'|'"], ["break_on_hyphens=false"], ["false", "none", "false"], ["wrapstring='<br>'"]])
    return "{{ " + json.dumps(rng.choice(["", " "]), ensure_ascii=False)[:-1] + text.replace('"', "") + '"|wordwrap(' + ", ".join(arguments) + ") }}"


def rounding(rng):
    number = rng.choice([f"{rng.randrange(-30000, 30000) / 1000}", f"{rng.randrange(-99, 99)}.5", f"{rng.randrange(-999, 999)}", "1e22", "1e-7"])
    return f"{{{{ {number}|round({rng.randrange(-2, 4)}{rng.choice(['', '', chr(44) + repr('ceil'), chr(44) + repr('floor')])}) }}}}"


def generator(rng):
    source = rng.choice(["[3, 1, 2]|map('string')", "'abca'|unique", "[1, 0, 2]|select", "range(5)|reject('odd')", "{'a': 1}|items", "[1, 2]|reverse",
                         "[{'k': 1}, {}]|selectattr('k', 'defined')", "'abc'|batch(2)", "'abc'|slice(2)", "{'a': 1}.items()|map('first')",
                         "[{'items': 1}]|map(attribute='items')", "'ab'|reverse", "missing|items", "[]|map('upper')"])
    uses = rng.sample(["g|list", "g|length", "g|first", "g|last", "g|join(',')", "g|tojson", "g[0]", "g[:1]", "1 in g", "'a' in g", "g is iterable",
                       "g is sequence", "g is mapping", "'yes' if g else 'no'", "g|sort", "g|reverse|list", "g + [1]", "g == g",
                       "g|sum", "g|max", "g|list|tojson", "g|select|list", "dict(g)", "g is string", "g|default('d', true)|list"], 3)
    return (f"{{% set g = {source} %}}" + "".join("{{ " + use + " }};" for use in uses)
            + rng.choice(["", "{% for x in g %}{{ x }}{{ loop.last }}{{ loop.length }}{% endfor %}"]))


def safe(rng):
    made = rng.choice(["'<a>'|safe", "'<a>'|e", "('x&' ~ \"'\")|escape", "'<b c>'|safe|upper", "[1, '<']|safe", "none|safe", "missing|e", "'%s<%d'|safe",
                       "'{}<{x}'|safe", "'<a>'|e|e", "'<a>'|e|forceescape", "'<a>'"])
    use = rng.choice(["s + '<'", "'&' + s", "s ~ '<'", "'<' ~ s", "s * 2", "s[0]", "s[1:] + '>'", "s.upper() + '<'", "s.split('a')[0] + '<'", "[s]", "s|tojson",
                      "s.replace('a', '<')", "s|replace('a', '<')", "s|trim + '>'", "s|join('<')", "s.join(['<', s])", "['<', s]|join('&')", "s % ('<', 1)",
                      "s % '<'", "s.format('<', x='>')", "s|format('<', 1)", "s|length", "s == '<a>'", "s in ['<a>']", "s|string + '<'", "s|center(9) + '<'",
                      "s|indent('<', true) + '<'", "s|truncate(3, true, '<', 0)", "s|title + '<'", "s|capitalize + '<'", "s|reverse + '<'", "s|first + '<'",
                      "s|last + '<'", "s|list + ['<']", "s is escaped", "s is string", "s + 1", "s + none", "s|default('<') + '<'", "s.partition('a')",
                      "s.strip('x') + '<'", "s.startswith('<')", "s.find('<')", "{'k': s}", "s|lower + s|upper", "(s + s)|length", "s|wordcount", "s|int",
                      "s.splitlines()[0] + '<'", "s.ljust(6, '<')", "s.removeprefix('x') + '&'", "s|max + '<'", "dict(a=s).a + '<'", "s|wordwrap(2) + '<'"])
    return f"{{% set s = {made} %}}{{{{ {use} }}}}" + rng.choice(["", "{{ s }}", "{% set t %}{{ s }}{% endset %}{{ t + '<' }}"])


def change(rng):
    steps = rng.sample(["l.append(1)", "l.append('x')", "l.append(l[0])", "l.extend([4, 5])", "l.extend('ab')", "l.insert(0, 'i')", "l.insert(-1, 'j')",
                        "l.insert(99, 'k')", "l.pop()", "l.pop(0)", "l.pop(-2)", "l.pop(9)", "l.remove(3)", "l.remove('no')", "l.reverse()", "l.clear()",
                        "l.sort()", "l.sort(reverse=true)", "ns.l.append(7)", "ns.l.pop(0)", "m.append(6)", "d.update({'a': 9, 'z': 0})", "d.update(q=1)",
                        "d.update([('p', 2)])", "d.pop('a')", "d.pop('no', 'd')", "d.pop('no')", "d.setdefault('a', 5)", "d.setdefault('n', 5)", "d.popitem()",
                        "d.clear()", "ns.d.update(w=3)", "l.copy().append(1)", "d.copy().update(a=1)", "f(l)", "l.append(d.copy())", "(1, 2).append(3)"], 5)
    start = rng.choice(["[3, 1, 2]", "[]", "['b', 'a']", "[2, [1]]", "[3, 'x']"])
    return (f"{{% macro f(x) %}}{{% set _ = x.append('f') %}}{{% endmacro %}}{{% set l = {start} %}}{{% set m = l %}}{{% set d = {{'a': 1, 'b': 2}} %}}"
            "{% set ns = namespace(l=l, d=d) %}" + "".join(rng.choice(["{% set _ = " + one + " %}", "{{ " + one + " }}"]) for one in steps)
            + "{{ l }}{{ m|length }}{{ d }}{{ ns.l }}{% for x in l %}{{ x }}{% endfor %}{{ l|tojson }}{{ l == m }}")


def braces(rng):
    spec = rng.choice(["", "", ":", ":5", ":<6", ":>6", ":^7", ":*^7", ":06", ":+d", ":d", ":x", ":X", ":o", ":b", ":c", ":e", ":.2f", ":.3", ":,", ":_", ":,.1f", ":%",
                       ":.1%", ":g", ":s", ":=+6", "!r", "!s", "!a", "!r:>9", ":{w}", ":{w}.1f", ":5.1", ": d", ":08.3f", ":\u00e9>4", ":q", "!x", ":_x", ":.0f", ":G"])
    field = rng.choice(["", "", "0", "1", "a", "a.k", "a[k]", "0[0]", "0[-1]", "a.items", "9", "no", "0.x"])
    text = rng.choice(["%s", "<%s>", "{{%s}}", "%s%s", "x%s}", "{%s", "%s %s", "{{}}%s"]).replace("%s", "{" + field + spec + "}")
    values = [rng.choice(SCALARS + ["1234567", "1234567.891", "-0.5", "255", "1e-7"]) for _ in range(rng.choice([1, 1, 2, 2, 0]))]
    named = rng.choice([["a={'k': 5}", "w=7"], ["a='\u00e9'", "w=7"], ["w=7"], ["a=-3", "w=7"], []])
    return "{{ '" + text + "'.format(" + ", ".join(values + named) + ") }}"


def bound(rng):
    value = rng.choice(["{'items': 1, 'a': {'get': 2}}", "{}", "'text'", "[1]", "(1, 2)", "{'k': {'items': {'type': 't'}}}", "3", "none"])
    use = rng.choice(["v.items", "v['items']", "v.get", "v.a.get", "v['a']['get']", "v.k['items'].type", "v.k.items.type", "v.items is defined", "v['items'] is defined",
                      "'y' if v.items else 'n'", "'y' if v['items'] else 'n'", "v.upper", "v.title is callable", "v.append is defined", "v.index is string",
                      "v.items is mapping", "v.keys is iterable", "v['keys']()|list", "v|attr('items') is defined", "[v]|map(attribute='items')|first is callable",
                      "v.items == 1", "v['upper']()", "v.count(1)", "v.items()|list"])
    return f"{{% set v = {value} %}}{{{{ {use} }}}}"


def targets(rng):
    return rng.choice([
        "{% for a, (b, c) in [(1, (2, 3)), [4, 'xy']] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
        "{% for (a, b) in [[1, 2]] %}{{ a }}{{ b }}{% endfor %}", "{% for [a, b] in [[1, 2]] %}{{ a }}{{ b }}{% endfor %}",
        "{% for a, in [[1], (2,)] %}{{ a }}{% endfor %}", "{% for (a) in [[1], (2,)] %}{{ a }}{% endfor %}",
        "{% set (a, (b, c)), d = ((1, [2, 3]), 4) %}{{ a }}{{ b }}{{ c }}{{ d }}", "{% set a, (b, c) = 1, 2 %}{{ a }}", "{% set a, = [5] %}{{ a }}",
        "{% for k, (v, w) in {'x': (1, 2)}.items() if v %}{{ k }}{{ w }}{% endfor %}", "{% set ns = namespace() %}{% set ns.x %}a{{ 1 }}{% endset %}{{ ns.x }}",
        "{% set ns = namespace() %}{% set ns.x | upper %}ab{% endset %}{{ ns.x }}",
        "{% set a = [b.c] %}", "{{ 0x1F + 0b11 + 0o17 + 0XaB + 1_000 + 0x_f }}", "{{ 0xFFFFFFFF }}{{ 0b2 }}", "{% set a, b.c = 1, 2 %}{{ a }}"])


def generation(rng):
    inner = rng.choice(["{{ x }}", "{% set x = 9 %}{{ x }}", "{% set ns.x = 9 %}", " a \n", "{{ loop.index }}", "{% break %}", "{% for y in 'ab' %}{% break %}{% endfor %}",
                        "{% generation %}b{% endgeneration %}", "{{ caller is defined }}"])
    sign = rng.choice(["", "-"])
    body = f"{{%{sign} generation {sign}%}}\n {inner}\n{{%{sign} endgeneration {sign}%}}\n{{{{ x }}}}"
    return "{% set ns = namespace() %}" + rng.choice(["{%% for x in [1, 2] %%}%s{%% endfor %%}", "{%% set x = 3 %%}%s", "%s"]) % body + "{{ ns.x }}"


CONSTRUCTS = [generator, generator, safe, safe, safe, change, change, change, braces, braces, braces, bound, bound, targets, generation,expression, expression, expression, two_filters, test, operator, part, loop, loop, tree, unpacking, group, group,
              formatting, formatting, macro, call, call, closure, block, dictionary, dictionary, namespaces, printed, printed,
              nothing, sorting, width, wrapping, wrapping, rounding]


def snippet(rng):
    return rng.choice(CONSTRUCTS)(rng)


def main():
    environment = reference.environment()
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
