# SPDX-License-Identifier: Apache-2.0
"""Small trees with one fault each, which check_rules.py must find; and one without."""

import check_rules

LONG = "int Long() {\n" + "  Call();\n" * 69 + "}\n"
GOOD = {
    "engine/base/size.cc": "int Size(int a, std::map<int, int> b, int c = F(1, 2), int d, int e) {\n  return 1;\n}\n"
                           "class Pool {\n  Pool() : size_{1}, name_(2) {}\n  void Run() const { Call(); }\n};\n",
    "engine/kernels/ref/vector.cc": "void AddOne() {}\n",
    "engine/kernels/avx2/vector.cc": "void AddOne() {}\n",
    "tests/engine/base/size_test.cc": "TEST(SizeTest, Works) {}\n",
    "tests/engine/base/list_test.cc": "TEST(ListTest, Works) {}\n",
    "tests/engine/base/CMakeLists.txt": "edgemoe_test(size_test SOURCES size_test.cc LINKS a)\n"
                                        "foreach(name list)\n  edgemoe_test(${name} SOURCES ${name}_test.cc LINKS a)\n"
                                        "endforeach()\n",
    check_rules.TOKEN_PAGE: "`Size` (`size.cc`), `Pool::Run`, `engine/base/size.cc`, `./dev test`\n",
    "dev": "TEST_PACKAGES=(libgtest-dev)\n",
    check_rules.DEPENDENCIES: "| package | licence | what for |\n| `libgtest-dev` | BSD-3-Clause | tests |\n",
    ".ci/exceptions.txt": "",
    ".ci/phrases.txt": "[Aa]s above\n",
}

# What is wrong, the files that differ from GOOD, and what the check must say.
FAULTS = [
    ("a long function", {"engine/base/a.cc": LONG.replace("}", "  Call();\n}")}, "Long has 72 lines"),
    ("a long function in a namespace and after a table",
     {"engine/base/a.cc": "namespace a {\nconstexpr int kTable[] = {1, 2};\n" + LONG.replace("}", "  C();\n}") + "}\n"},
     "Long has 72 lines"),
    ("a long test", {"engine/base/a.cc": LONG.replace("int Long()", "TEST(A, Long)").replace("}", "  Call();\n}")},
     "A.Long has 72 lines"),
    ("many parameters", {"engine/base/a.cc": "Pool::Pool(int a, int b, int c, int d, int e, F<int, int> f) : a_{a} {\n}\n"},
     "Pool::Pool has 6 parameters"),
    ("more parameters than the list says",
     {"engine/base/a.cc": "int F(A a, A b, A c, A d, A e, A f, A g) {\n}\n", ".ci/exceptions.txt": "parameters 6 F\n"},
     "F has 7 parameters, at most 5 (.ci/exceptions.txt: 6)"),
    ("fewer parameters than the list says",
     {"engine/base/a.cc": "int F(A a, A b, A c, A d, A e, A f) {\n}\n", ".ci/exceptions.txt": "parameters 7 F\n"},
     "F has 6 parameters, at most 5 (.ci/exceptions.txt: 7)"),
    ("an exception that is not needed", {".ci/exceptions.txt": "parameters 7 F\n"}, "parameters F: no longer needed"),
    ("one stem in two rooms", {"engine/io/size.h": "\n"}, "size: rooms engine/base, engine/io"),
    ("a test that is not registered", {"tests/engine/base/lost_test.cc": "\n"}, "lost_test.cc: registered 0 times"),
    ("a fuzzer that is not registered", {"tests/fuzz/lost_fuzz.cc": "\n"}, "lost_fuzz.cc: registered 0 times"),
    ("a test registered in a comment",
     {"tests/engine/base/CMakeLists.txt": GOOD["tests/engine/base/CMakeLists.txt"].replace("edgemoe_test(size", "#(size")},
     "size_test.cc: registered 0 times"),
    ("a test registered twice",
     {"tests/CMakeLists.txt": "edgemoe_test(again SOURCES engine/base/size_test.cc LINKS a)\n"}, "registered 2 times"),
    ("a function that is gone", {check_rules.TOKEN_PAGE: "`Pool::Gone`\n"}, "the code has no Gone"),
    ("a file that is gone", {check_rules.TOKEN_PAGE: "`gone.cc`\n"}, "there is no file gone.cc"),
    ("a path that is gone", {check_rules.TOKEN_PAGE: "`engine/io/size.cc`\n"}, "there is no file engine/io/size.cc"),
    ("a package without a licence", {"dev": "TEST_PACKAGES=(libgtest-dev libnew-dev)\n"}, "installs libnew-dev"),
    ("an empty licence", {check_rules.DEPENDENCIES: "| `libgtest-dev` |  | tests |\n"}, "has no licence"),
    ("a licence without a package", {check_rules.DEPENDENCIES: GOOD[check_rules.DEPENDENCIES] + "| `gone` | MIT | x |\n"},
     "names gone, which"),
    ("a phrase", {"engine/base/a.h": "int a;  // as above, but more\n"}, "a reader stops at 'as above'"),
    ("a torn comment", {"engine/base/a.h": "// Owned by the\n// caller, who frees it.\n"}, "ends early"),
    ("a structure of the system's, as 14 sets it", {"engine/base/a.h": "  struct stat info {};\n"}, "write `= {}`"),
    ("a structure of the system's, as 19 sets it", {"engine/base/a.h": "  struct stat info{};\n"}, "write `= {}`"),
    ("a block on one line", {"engine/base/a.h": "  { const auto dropped = Make(); }\n"}, "without a block"),
]


def main():
    missed = [f"the good tree: {error}" for error in check_rules.check(check_rules.Tree(GOOD))]
    for what, changes, expected in FAULTS:
        errors = check_rules.check(check_rules.Tree(GOOD | changes))
        if not any(expected in error for error in errors):
            missed.append(f"{what}: expected an error with {expected!r}, found {errors}")
    for text in missed:
        print(text)
    print(f"rules, self-test: {len(FAULTS)} faults, {len(missed)} missed")
    return 1 if missed else 0
