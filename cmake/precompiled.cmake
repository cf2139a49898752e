# SPDX-License-Identifier: Apache-2.0
# Headers from outside the repository, parsed once for each kind of target: most of the time that a compiler takes for a
# file of ours goes into them. -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON builds without them.
#
# Kernels have none: their files have flags of their own, and share no inline code with others. The standard library
# alone (engine with the engine's flags, std without) is for clang: GCC reads such a header of 90 MB no faster than it
# parses the sources (measured: 1.5 s against 1.6 s of processor time for a file of the engine; clang 0.9 s against 2.2 s).

# edgemoe_precompiled(KIND LINKS ...): the headers of cmake/precompiled/KIND.h, for targets with the same flags.
function(edgemoe_precompiled kind)
  cmake_parse_arguments(KIND "" "" "LINKS" ${ARGN})
  add_library(edgemoe_precompiled_${kind} OBJECT ${CMAKE_SOURCE_DIR}/cmake/precompiled/none.cc)
  target_link_libraries(edgemoe_precompiled_${kind} PRIVATE edgemoe_flags ${KIND_LINKS})
  target_precompile_headers(edgemoe_precompiled_${kind} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled/${kind}.h)
endfunction()

# edgemoe_use_precompiled(KIND TARGET...)
function(edgemoe_use_precompiled kind)
  if(NOT TARGET edgemoe_precompiled_${kind})
    return()
  endif()
  foreach(target ${ARGN})
    target_precompile_headers(${target} REUSE_FROM edgemoe_precompiled_${kind})
  endforeach()
endfunction()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  edgemoe_precompiled(std LINKS tl::expected)
  edgemoe_precompiled(engine LINKS tl::expected edgemoe_engine_flags)
endif()
if(EDGEMOE_TESTS)
  edgemoe_precompiled(test LINKS tl::expected GTest::gmock edgemoe_test_flags)
endif()
if(NOT EDGEMOE_ENGINE_ONLY)
  edgemoe_precompiled(rpc LINKS tl::expected gRPC::grpc++ protobuf::libprotobuf)
  if(EDGEMOE_TESTS)
    edgemoe_precompiled(rpc_test LINKS tl::expected gRPC::grpc++ protobuf::libprotobuf GTest::gmock
                        edgemoe_test_flags)
  endif()
endif()
