# SPDX-License-Identifier: Apache-2.0
"""The layer table of docs/architecture.md, read as it stands there.

A row is `| room | what is in it | may include |`. A room is a folder (`engine/io`, with its subfolders that have no
row of their own) or a pattern of files (`engine/*.h`). The third cell lists what the room may include beside itself: a
bare word is a room of the same parent folder, a path in backticks is a room or one header, from the root. A room names
only rooms that stand above it; a single header may stand anywhere.
"""

import fnmatch
import pathlib
import re

NOTHING = "nothing of ours"


class Room:
    def __init__(self, name, allowed, line):
        self.name = name
        self.allowed = allowed
        self.line = line
        self.used = set()

    def holds(self, path):
        """How closely `path` belongs here: 0 for not at all, more for a closer fit."""
        if "*" in self.name:
            parent = str(pathlib.PurePosixPath(path).parent)
            pattern = pathlib.PurePosixPath(self.name)
            if parent == str(pattern.parent) and fnmatch.fnmatch(path, self.name):
                return 1000
            return 0
        return len(self.name) if path == self.name or path.startswith(self.name + "/") else 0


class Table:
    """Rooms in the table's order; `errors` tells what is wrong with the table itself."""

    def __init__(self, text):
        self.rooms = []
        self.errors = []
        for number, cells in read_rows(text):
            name = cells[0].strip("`/ ")
            self.rooms.append(Room(name, self.read_allowed(name, cells[2], number), number))
        if not self.rooms:
            self.errors.append("there is no table with the columns room, what is in it, may include")
        self.rank = {room.name: rank for rank, room in enumerate(self.rooms)}
        self.check_order()

    def read_allowed(self, name, cell, number):
        if cell.strip() == NOTHING:
            return set()
        allowed = set(re.findall(r"`([^`]+?)/?`", cell))
        parent = name.rpartition("/")[0]
        for word in re.sub(r"`[^`]*`", " ", cell).replace(",", " ").split():
            if not re.fullmatch(r"[a-z_]+", word):
                self.errors.append(f"line {number}: {name}: found {word!r}; a room's name or a path is accepted")
            allowed.add(f"{parent}/{word}" if parent else word)
        return allowed

    def check_order(self):
        for rank, room in enumerate(self.rooms):
            for other in sorted(room.allowed):
                if other in self.rank:
                    if self.rank[other] >= rank:
                        self.errors.append(f"line {room.line}: {room.name} names {other}, which is not above it")
                elif not other.endswith(".h"):
                    self.errors.append(f"line {room.line}: {room.name} names {other}, which has no row")

    def room_of(self, path):
        best = max(self.rooms, key=lambda room: room.holds(path), default=None)
        return best if best is not None and best.holds(path) > 0 else None

    def allows(self, room, header):
        """May files of `room` include `header`? Remembers which permission was used."""
        target = self.room_of(header)
        if target is room:
            return True
        for permission in (header, target.name if target else None):
            if permission in room.allowed:
                room.used.add(permission)
                return True
        return False

    def unused(self):
        for room in self.rooms:
            for permission in sorted(room.allowed - room.used):
                yield f"line {room.line}: {room.name} may include {permission}, but does not"


def read_rows(text):
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif len(cells) == 3 and cells[0] == "room" and cells[2] == "may include":
            inside = True
        elif inside and not set(line) <= set("|-: "):
            yield number, cells
