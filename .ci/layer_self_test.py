# SPDX-License-Identifier: Apache-2.0
"""Small trees with one fault each, which check_layers.py must find; and one without."""

import pathlib
import tempfile

import check_layers

TABLE = """
| room | what is in it | may include |
|---|---|---|
| `engine/base` | sizes | nothing of ours |
| `engine/io` | reads | base |
| `engine/model` | layers | base `engine/io/reader.h` |
| `engine/*.h` | facades | base |
| `engine/*.cc` | what they do | `engine/*.h` model |
| `proto` | generated | nothing of ours |
| `server/rpc` | services | `engine/*.h` `proto` |
"""

GOOD = {
    "docs/architecture.md": TABLE,
    "engine/base/size.h": "#include <string>\n",
    "engine/base/CMakeLists.txt": "edgemoe_module(base SOURCES size.cc LINKS tl::expected)\n",
    "engine/io/reader.h": '#include "engine/base/size.h"\n',
    "engine/io/CMakeLists.txt": "edgemoe_module(io\n  SOURCES reader.cc LINKS edgemoe_base)\n",
    "engine/model/ops/attention.cc": '#include "engine/base/size.h"\n#include "engine/io/reader.h"\n',
    "engine/model/CMakeLists.txt": "edgemoe_module(model SOURCES ops/attention.cc LINKS edgemoe_io)\n",
    "engine/engine.h": '#include "engine/base/size.h"\n',
    "engine/engine.cc": '#include "engine/engine.h"\n#include "engine/model/model.h"\n',
    "engine/CMakeLists.txt": "edgemoe_module(engine SOURCES engine.cc LINKS edgemoe_model)\n",
    "server/rpc/service.cc": '#include <grpcpp/grpcpp.h>\n#include "engine/engine.h"\n#include "edgemoe/v1/a.pb.h"\n',
    "server/CMakeLists.txt": "add_library(s STATIC rpc/service.cc)\ntarget_link_libraries(s PUBLIC edgemoe_proto)\n",
    "tests/engine/io/reader_test.cc": '#include "engine/io/reader.h"\n',
}

# What is wrong, the files that differ from GOOD, and what the check must say.
FAULTS = [
    ("an include upwards", {"engine/base/size.h": '#include "engine/io/reader.h"\n'}, "engine/base may not include"),
    ("a header beside the one allowed", {"engine/model/a.cc": '#include "engine/io/uring.h"\n'}, "may not include it"),
    ("a room below the facade", {"engine/io/reader.h": '#include "engine/engine.h"\n'}, "engine/io may not include"),
    ("a facade that shows more", {"engine/engine.h": '#include "engine/model/a.h"\n'}, "engine/*.h may not include"),
    ("a server that goes past the facade", {"server/rpc/a.cc": '#include "engine/base/size.h"\n'}, "server/rpc may not"),
    ("a folder without a row", {"engine/extra/a.cc": "\n"}, "has no row in the layer table"),
    ("an include that is not from the root", {"engine/io/reader.cc": '#include "reader.h"\n'}, "from the root"),
    ("gRPC in the engine", {"engine/io/reader.cc": "#include <grpcpp/grpcpp.h>\n"}, "neither gRPC nor protobuf"),
    ("gRPC in a test of the engine", {"tests/engine/io/a.cc": "#include <grpcpp/grpcpp.h>\n"}, "tests of the engine"),
    ("a test that looks up", {"tests/engine/io/a.cc": '#include "engine/model/a.h"\n'}, "may not need engine/model"),
    ("a link upwards", {"engine/base/CMakeLists.txt": "edgemoe_module(base SOURCES s.cc LINKS edgemoe_io)\n"},
     "edgemoe_base links edgemoe_io"),
    ("a link to gRPC", {"engine/io/CMakeLists.txt": "edgemoe_module(io SOURCES r.cc LINKS edgemoe_base gRPC::grpc++)\n"},
     "edgemoe_io links gRPC::grpc"),
    ("an include without a link", {"engine/io/CMakeLists.txt": "edgemoe_module(io SOURCES r.cc)\n"},
     "edgemoe_io does not link edgemoe_base"),
    ("a row without files", {"docs/architecture.md": TABLE + "| `engine/gone` | gone | nothing of ours |\n"},
     "engine/gone has no file"),
    ("a permission that nobody uses", {"docs/architecture.md": TABLE.replace("| `engine/*.h` model", "| `engine/*.h` io model")},
     "may include engine/io, but does not"),
    ("a row that names one below it", {"docs/architecture.md": TABLE.replace("| nothing of ours |\n| `engine/io`", "| io |\n| `engine/io`")},
     "engine/base names engine/io, which is not above it"),
    ("a row that names none", {"docs/architecture.md": TABLE.replace("reads | base", "reads | base, bass")},
     "names engine/bass, which has no row"),
    ("no table", {"docs/architecture.md": "# Architecture\n"}, "there is no table"),
]


def errors_of(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check_layers.Checker(pathlib.Path(folder)).run()


def main():
    missed = [f"the good tree: {error}" for error in errors_of(GOOD)]
    for what, changes, expected in FAULTS:
        errors = errors_of(GOOD | changes)
        if not any(expected in error for error in errors):
            missed.append(f"{what}: expected an error with {expected!r}, found {errors}")
    for text in missed:
        print(text)
    print(f"layers, self-test: {len(FAULTS)} faults, {len(missed)} missed")
    return 1 if missed else 0
