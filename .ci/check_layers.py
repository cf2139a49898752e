#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares every #include and every CMake link with the layer table in docs/architecture.md.

What a row may say is told in layer_table.py. Beside the table: a room that may not include `proto` includes nothing of
gRPC and protobuf; tests of a room see nothing that stands below it in the table, except golden tests, which read whole
files. `--self-test` runs the checks on small trees with one fault each, which must be found.
"""

import pathlib
import re
import sys

from layer_table import Table

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = "docs/architecture.md"
SOURCES = {".h", ".cc", ".inc"}
TOPS = ("engine", "download", "server", "client", "bench", "models")

OUR_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
ANY_INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)
RPC = re.compile(r"^(grpc|grpcpp|google/(protobuf|rpc)|edgemoe/v1)/|\.pb\.h$")
GENERATED = re.compile(r"^(edgemoe/v1|google/rpc|grpc/(health|reflection)/v1)/")
PROTO = "proto"
RPC_LIBRARY = re.compile(r"\b(?:gRPC|protobuf)::\w+|\bedgemoe_proto\b")
CALL = re.compile(r"\b(edgemoe_module|add_library|target_link_libraries)\(\s*([\w-]+)([^()]*)\)")


def as_header(include):
    return f"{PROTO}/{include}" if GENERATED.match(include) else include


class Checker:
    def __init__(self, root):
        self.root = root
        self.table = Table((root / TABLE).read_text())
        self.errors = [f"{TABLE}: {error}" for error in self.table.errors]
        self.file_count = 0
        self.filled = set()
        self.rooms_of_library = {}
        self.library_of_source = {}
        self.links = {}

    def complain(self, path, text):
        self.errors.append(f"{path}: {text}")

    def run(self):
        self.read_libraries()
        for top in TOPS + ("tests",):
            for path in sorted((self.root / top).rglob("*")):
                if path.suffix in SOURCES and path.is_file():
                    self.file_count += 1
                    name = path.relative_to(self.root).as_posix()
                    check = self.check_test if top == "tests" else self.check_source
                    check(name, path.read_text())
        self.check_links()
        for room in self.table.rooms:
            if room.name not in self.filled and room.name != PROTO:
                self.complain(TABLE, f"line {room.line}: {room.name} has no file")
        for text in self.table.unused():
            self.complain(TABLE, text)
        return self.errors

    # ---- includes ----

    def check_source(self, name, text):
        room = self.table.room_of(name)
        if room is None:
            self.complain(name, "its folder has no row in the layer table")
            return
        self.filled.add(room.name)
        self.check_rpc(room, name, text)
        for include in OUR_INCLUDE.findall(text):
            header = as_header(include)
            if "/" not in include:
                self.complain(name, f"{include}: our headers are included from the root")
            elif not self.table.allows(room, header):
                self.complain(name, f"{include}: {room.name} may not include it")
            else:
                self.check_library_reaches(room, name, header)

    def check_rpc(self, room, name, text):
        if PROTO in room.allowed:
            return
        for include in ANY_INCLUDE.findall(text):
            if RPC.search(include):
                self.complain(name, f"{include}: {room.name} knows neither gRPC nor protobuf")

    def check_test(self, name, text):
        if name.startswith("tests/engine/"):
            for include in ANY_INCLUDE.findall(text):
                if RPC.search(include):
                    self.complain(name, f"{include}: tests of the engine know neither gRPC nor protobuf")
        room = self.table.room_of(name.removeprefix("tests/"))
        if room is None or name.endswith("_golden_test.cc"):
            return
        rank = self.table.rank[room.name]
        for include in OUR_INCLUDE.findall(text):
            target = self.table.room_of(as_header(include))
            if target and self.table.rank[target.name] > rank and not same_top(room, target):
                self.complain(name, f"{include}: tests of {room.name} may not need {target.name}, which uses it")
            elif target and name.startswith("tests/client/") and not include.startswith(("client/", "edgemoe/", "google/rpc/")):
                self.complain(name, f"{include}: tests of the client know the client and the proto alone")

    # ---- CMake ----

    def read_libraries(self):
        """Which rooms a library is made of, and what it links."""
        for top in TOPS:
            for path in sorted((self.root / top).rglob("CMakeLists.txt")):
                folder = path.parent.relative_to(self.root).as_posix()
                text = re.sub(r"#.*", "", path.read_text())
                for call, name, body in CALL.findall(text):
                    if "ALIAS" in body:
                        continue
                    library = f"edgemoe_{name}" if call == "edgemoe_module" else name
                    if call != "target_link_libraries":
                        self.add_sources(library, folder, body)
                    if call != "add_library":
                        linked = re.findall(r"\bedgemoe_\w+", body.partition("LINKS")[2] or body)
                        self.links.setdefault(library, set()).update(linked)
                        self.check_rpc_link(path.relative_to(self.root), library, body)

    def add_sources(self, library, folder, body):
        sources = [f"{folder}/{source}" for source in re.findall(r"[\w/]+\.cc\b", body)] or [f"{folder}/any.cc"]
        rooms = {room.name for room in map(self.table.room_of, sources) if room is not None}
        self.rooms_of_library[library] = rooms
        self.library_of_source.update(dict.fromkeys(sources, library))

    def check_rpc_link(self, path, library, body):
        rooms = self.rooms_of_library.get(library, set())
        allowed = [PROTO in room.allowed for room in self.table.rooms if room.name in rooms]
        for linked in RPC_LIBRARY.findall(body):
            if allowed and not any(allowed):
                self.complain(path, f"{library} links {linked}: {', '.join(sorted(rooms))} may not include {PROTO}")

    def check_links(self):
        by_name = {room.name: room for room in self.table.rooms}
        for library, links in sorted(self.links.items()):
            own = self.rooms_of_library.get(library, set())
            for linked in sorted(links & self.rooms_of_library.keys() if own else ()):
                pairs = [(mine, other) for mine in own for other in self.rooms_of_library[linked]]
                if not any(mine == other or may_link(by_name[mine], other) for mine, other in pairs):
                    rooms = ", ".join(sorted(own))
                    self.complain(TABLE, f"{library} links {linked}, which {rooms} may not include")

    def check_library_reaches(self, room, name, header):
        """What a module of the engine includes, its library links, directly or through others; facades stand above."""
        target = self.table.room_of(header)
        if not name.startswith("engine/") or target is None or target is room or "*" in target.name:
            return
        library = self.library_of(room, name)
        wanted = self.library_of(target, header)
        if library and wanted and wanted not in self.reachable(library):
            self.complain(name, f"{header}: {library} does not link {wanted}")

    def library_of(self, room, name):
        """The library with the source of that name, or else the one that the room is."""
        source = str(pathlib.PurePosixPath(name).with_suffix(".cc"))
        alone = (library for library, rooms in self.rooms_of_library.items() if rooms == {room.name})
        return self.library_of_source.get(source) or next(alone, None)

    def reachable(self, library):
        seen, rest = set(), [library]
        while rest:
            current = rest.pop()
            if current not in seen:
                seen.add(current)
                rest.extend(self.links.get(current, ()))
        return seen


def same_top(room, target):
    """Rooms of the server, and of the client, are tested together."""
    top = room.name.partition("/")[0]
    return top != "engine" and top == target.name.partition("/")[0]


def may_link(room, other):
    """A room links what it includes a room or a header of; the facades' sources stand for their headers."""
    names = {other, other.replace("*.cc", "*.h")}
    return any(name in room.allowed for name in names) or any(
        allowed.startswith(f"{other}/") for allowed in room.allowed)


def main():
    if sys.argv[1:] == ["--self-test"]:
        import layer_self_test
        return layer_self_test.main()
    checker = Checker(ROOT)
    errors = checker.run()
    for error in errors:
        print(error)
    print(f"layers: {len(checker.table.rooms)} rooms, {checker.file_count} files, {len(errors)} errors")
    return 1 if errors or checker.file_count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
