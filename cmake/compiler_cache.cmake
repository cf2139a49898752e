# SPDX-License-Identifier: Apache-2.0
# ccache, where it is installed. It caches files that use precompiled headers only when it may take their macros and
# their times on trust; `env` carries that into the build.
if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER OR CMAKE_CXX_COMPILER_LAUNCHER MATCHES "(^|/)ccache$")
  find_program(EDGEMOE_CCACHE ccache)
  if(EDGEMOE_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${EDGEMOE_CCACHE})
  endif()
endif()
