# SPDX-License-Identifier: Apache-2.0
"""Jinja as the models' own library sets it up (transformers, utils/chat_template_utils.py): the reference that all
recordings here come from. Needs python3-jinja2.

One thing differs: that library's environment refuses methods that change a list or a dictionary. Templates written for
other programs use them (Kimi K2's in llama.cpp), so that here they work.
"""
import datetime
import json

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension
from jinja2.sandbox import SandboxedEnvironment

NOW = datetime.datetime(2025, 8, 5, 12, 0)


class Generation(Extension):
    """{% generation %}: marks the assistant's text for training, and is a block of its own."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("write"), [], [], body).set_lineno(line)

    def write(self, caller):
        return caller()


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise TemplateError(message)


def environment():
    made = SandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"])
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = NOW.strftime
    return made


def render(template, context):
    """{"text": ...}; {"raises": what the template itself says, or null for an error of Jinja's or Python's}."""
    try:
        return {"text": template.render(**context)}
    except Exception as error:  # pylint: disable=broad-except
        return {"raises": str(error) if type(error) is TemplateError else None}


def fnv1a(text):
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return f"{value:016x}"
