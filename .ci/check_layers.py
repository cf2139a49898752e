#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares every #include and every CMake link with the layer table of the design.

Includes point downwards: a module may use what stands in a lower rank. Modules of one rank do not
know each other. The engine's modules include nothing of gRPC or protobuf.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

RANKS = [
    ["base"],
    ["quant", "io", "parallel", "predict", "cache", "tokenizer", "template"],
    ["gguf", "kernels", "stream", "trace"],
    ["model"],
    ["scheduler", "pack"],
]
RANK = {module: rank for rank, modules in enumerate(RANKS) for module in modules}
FACADE = "engine.h"

# What a room outside the engine may include of ours.
ROOMS = {
    "client": ("client/", "edgemoe/"),
    "server": ("server/", "edgemoe/", "engine/engine.h", "engine/base/"),
    "bench": ("bench/", "client/", "edgemoe/", "engine/engine.h", "engine/base/"),
}
# The command line parses sizes as the daemon does; the client's library stays without the engine.
ROOM_EXCEPTIONS = {"client/cli/size_text.cc": "engine/base/byte_size.h"}
# Requests, events and sampling parameters are part of the facade's own interface.
FACADE_MAY_INCLUDE = ("engine/base/", "engine/model/sampler.h", "engine/pack/pack_request.h",
                      "engine/scheduler/request.h",
                      "engine/stream/read_ahead_stats.h")

OUR_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
ANY_INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)
RPC = re.compile(r"^(grpc|grpcpp|google/protobuf|edgemoe/v1)/|\.pb\.h$")
MODULE_CALL = re.compile(r"edgemoe_module\(\s*(\w+)(.*?)\)", re.DOTALL)
SOURCES = {".h", ".cc", ".inc"}

errors = []


def complain(path, text):
    errors.append(f"{path.relative_to(ROOT)}: {text}")


def module_of(include):
    parts = pathlib.PurePosixPath(include).parts
    return parts[1] if len(parts) > 2 and parts[0] == "engine" else None


def check_engine_file(path, text):
    parts = path.relative_to(ROOT).parts
    module = parts[1] if len(parts) > 2 else None
    if module is not None and module not in RANK:
        complain(path, f"module {module} is not in the layer table")
        return
    for include in ANY_INCLUDE.findall(text):
        if RPC.search(include):
            complain(path, f"{include}: the engine knows neither gRPC nor protobuf")
    for include in OUR_INCLUDE.findall(text):
        if not include.startswith("engine/"):
            complain(path, f"{include}: the engine includes only the engine, from the root")
            continue
        if module is None:
            if path.name == FACADE and not include.startswith(FACADE_MAY_INCLUDE):
                complain(path, f"{include}: the facade shows {FACADE_MAY_INCLUDE} only")
            continue
        target = module_of(include)
        if target is None:
            complain(path, f"{include}: {module} stands below the facade")
        elif target != module and (target not in RANK or RANK[target] >= RANK[module]):
            complain(path, f"{include}: {module} does not stand above {target}")


def check_room_file(room, path, text):
    for include in OUR_INCLUDE.findall(text):
        if include == ROOM_EXCEPTIONS.get(str(path.relative_to(ROOT))):
            continue
        if not include.startswith(ROOMS[room]):
            complain(path, f"{include}: {room}/ may include only {', '.join(ROOMS[room])}")


def check_test_file(path, text):
    """A module's tests see what the module sees, its tests' doubles, and nothing above it; golden
    tests may, for they read whole files."""
    parts = path.relative_to(ROOT).parts
    if parts[1] == "engine" and len(parts) > 3:
        module = parts[2]
        for include in OUR_INCLUDE.findall(text):
            target = module_of(include)
            is_above = target in RANK and RANK[target] > RANK[module]
            if is_above and not path.name.endswith("_golden_test.cc"):
                complain(path, f"{include}: tests of {module} may not need {target}, above it")
    if parts[1] == "engine":
        for include in ANY_INCLUDE.findall(text):
            if RPC.search(include):
                complain(path, f"{include}: the engine's tests know neither gRPC nor protobuf")
    if parts[1] == "client":
        for include in OUR_INCLUDE.findall(text):
            if include.startswith(("engine/", "server/")):
                complain(path, f"{include}: the client knows the proto alone")


def check_links(path, text):
    for module, body in MODULE_CALL.findall(text):
        for target in re.findall(r"\bedgemoe_(\w+)", body):
            if target in ("proto", "client", "server"):
                complain(path, f"edgemoe_{module} links edgemoe_{target}")
            elif target in RANK and RANK[target] >= RANK.get(module, -1):
                complain(path, f"edgemoe_{module} links edgemoe_{target}, which is not below it")
        for library in re.findall(r"\b(gRPC::\S+|protobuf::\S+)", body):
            complain(path, f"edgemoe_{module} links {library}")


def reachable(module, links):
    seen, rest = set(), [module]
    while rest:
        current = rest.pop()
        if current not in seen:
            seen.add(current)
            rest.extend(links.get(current, ()))
    return seen


def main():
    links = {}
    for lists in sorted((ROOT / "engine").glob("*/CMakeLists.txt")):
        text = lists.read_text()
        check_links(lists, text)
        for module, body in MODULE_CALL.findall(text):
            links[module] = set(re.findall(r"\bedgemoe_(\w+)", body)) & set(RANK)
    count = 0
    for room in ("engine", "client", "server", "bench", "tests"):
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix not in SOURCES or not path.is_file():
                continue
            count += 1
            text = path.read_text()
            if room == "engine":
                check_engine_file(path, text)
                module = path.relative_to(ROOT).parts[1]
                for include in OUR_INCLUDE.findall(text):
                    target = module_of(include)
                    if module in links and target in RANK:
                        if target not in reachable(module, links):
                            complain(path, f"{include}: edgemoe_{module} does not link {target}")
            elif room == "tests":
                check_test_file(path, text)
            else:
                check_room_file(room, path, text)
    for error in errors:
        print(error)
    print(f"layers: {count} files, {len(errors)} errors")
    return 1 if errors or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
