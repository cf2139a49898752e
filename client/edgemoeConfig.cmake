# SPDX-License-Identifier: Apache-2.0
# For find_package(edgemoe): gives the target edgemoe::edgemoe_client.
include(CMakeFindDependencyMacro)
find_dependency(Protobuf)
find_dependency(gRPC CONFIG)
find_dependency(tl-expected)
include(${CMAKE_CURRENT_LIST_DIR}/edgemoe.cmake)
