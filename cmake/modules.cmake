# SPDX-License-Identifier: Apache-2.0
# edgemoe_module(NAME [PLAIN] [ALONE] SOURCES ... LINKS ...): a static library edgemoe_NAME whose links repeat the layer
# table.
# PLAIN is without precompiled headers: for flags that others do not have. The release joins sources (CMAKE_UNITY_BUILD),
# which halves the time of its build; ALONE compiles each by itself, so that the compiler sees the same arithmetic in
# every build. The sanitized builds join nothing and see what a source forgot to include.
# edgemoe_test(NAME SOURCES ... LINKS ...): a GoogleTest program that CTest runs as NAME. EDGEMOE_TEST_HEADERS says which
# precompiled headers it takes: test, or rpc_test for those that link gRPC. Where a folder's EDGEMOE_SINGLE_THREADED is ON,
# there is nothing for ThreadSanitizer to see, and its build leaves the folder's tests out.
set(EDGEMOE_TEST_HEADERS test)
set(EDGEMOE_SINGLE_THREADED OFF)
set(EDGEMOE_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  list(APPEND EDGEMOE_WARNINGS -Wthread-safety)
else()
  # GCC 12 sees overlaps in std::string's own operator+ that cannot be (GCC bug 105651); with precompiled headers 12 to 14
  # see accesses behind its end. clang looks at the same code without these exceptions.
  list(APPEND EDGEMOE_WARNINGS -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow)
  if(CMAKE_UNITY_BUILD)
    # It takes a joined source for a header.
    list(APPEND EDGEMOE_WARNINGS -Wno-subobject-linkage)
  endif()
endif()

add_library(edgemoe_flags INTERFACE)
target_include_directories(edgemoe_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(edgemoe_flags INTERFACE ${EDGEMOE_WARNINGS})
if(EDGEMOE_SANITIZE)
  target_compile_options(edgemoe_flags INTERFACE -fsanitize=${EDGEMOE_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(edgemoe_flags INTERFACE -fsanitize=${EDGEMOE_SANITIZE})
endif()
if(EDGEMOE_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 takes what a sanitizer adds for paths on which a std::optional is read unset.
  target_compile_options(edgemoe_flags INTERFACE -Wno-maybe-uninitialized)
endif()

# Of the engine, which computes, and of what is fuzzed beside it. Only these are optimised in a sanitized build, and seen
# by the fuzzers: the rest would take twice as long to compile.
add_library(edgemoe_engine_flags INTERFACE)
if(EDGEMOE_SANITIZE)
  target_compile_options(edgemoe_engine_flags INTERFACE -O1)
endif()
if(EDGEMOE_FUZZ)
  target_compile_options(edgemoe_engine_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Of the tests, in every build: optimising them takes longer than it saves when they run. glibc's checks of sizes, which
# a distribution's flags ask for, want optimised code.
add_library(edgemoe_test_flags INTERFACE)
target_compile_options(edgemoe_test_flags INTERFACE -O0 -U_FORTIFY_SOURCE)

function(edgemoe_module name)
  cmake_parse_arguments(MODULE "PLAIN;ALONE" "" "SOURCES;LINKS" ${ARGN})
  add_library(edgemoe_${name} STATIC ${MODULE_SOURCES})
  target_link_libraries(edgemoe_${name} PUBLIC edgemoe_flags ${MODULE_LINKS} PRIVATE edgemoe_engine_flags)
  if(MODULE_ALONE)
    set_target_properties(edgemoe_${name} PROPERTIES UNITY_BUILD OFF)
  endif()
  if(NOT MODULE_PLAIN)
    edgemoe_use_precompiled(engine edgemoe_${name})
  endif()
endfunction()

function(edgemoe_test name)
  if(EDGEMOE_SINGLE_THREADED AND EDGEMOE_SANITIZE STREQUAL "thread")
    return()
  endif()
  cmake_parse_arguments(TEST "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE edgemoe_flags edgemoe_test_flags ${TEST_LINKS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE EDGEMOE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  edgemoe_use_precompiled(${EDGEMOE_TEST_HEADERS} ${name})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
endfunction()

# edgemoe_fuzzer(NAME SOURCES ... LINKS ...): a libFuzzer program, built with -DEDGEMOE_FUZZ=ON; `./dev fuzz` runs it on
# the corpus in tests/fuzz/corpus/NAME.
function(edgemoe_fuzzer name)
  if(NOT EDGEMOE_FUZZ)
    return()
  endif()
  cmake_parse_arguments(FUZZER "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${FUZZER_SOURCES})
  target_link_libraries(${name} PRIVATE edgemoe_flags ${FUZZER_LINKS} -fsanitize=fuzzer)
  target_compile_definitions(${name} PRIVATE EDGEMOE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzzers)
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers ${name})
endfunction()
