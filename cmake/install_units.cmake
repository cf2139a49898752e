# SPDX-License-Identifier: Apache-2.0
#
# Run by `cmake --install`: the configuration and the units, for the prefix of this installation,
# which may be another than the one that was configured. Under /usr the configuration is in /etc.
# Wants EDGEMOE_SOURCE_DIR, EDGEMOE_BINARY_DIR and EDGEMOE_BINDIR, which is below the prefix.
set(bindir ${CMAKE_INSTALL_PREFIX}/${EDGEMOE_BINDIR})
set(docdir ${CMAKE_INSTALL_PREFIX}/share/doc/edgemoe)
set(sysconfdir ${CMAKE_INSTALL_PREFIX}/etc)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(sysconfdir /etc)
endif()

# The administrator's configuration stays; what it could be lies beside it.
set(config_name edgemoed.json)
if(EXISTS $ENV{DESTDIR}${sysconfdir}/edgemoe/edgemoed.json)
  set(config_name edgemoed.json.new)
endif()
file(INSTALL ${EDGEMOE_SOURCE_DIR}/config/edgemoed.json
     DESTINATION ${sysconfdir}/edgemoe RENAME ${config_name})

foreach(unit edgemoed.service edgemoed.socket edgemoe-download@.service edgemoe-download.socket)
  configure_file(${EDGEMOE_SOURCE_DIR}/systemd/${unit}.in ${EDGEMOE_BINARY_DIR}/units/${unit} @ONLY)
  file(INSTALL ${EDGEMOE_BINARY_DIR}/units/${unit}
       DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
endforeach()
file(INSTALL ${EDGEMOE_SOURCE_DIR}/systemd/edgemoe.sysusers.conf
     DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/sysusers.d RENAME edgemoe.conf)
file(INSTALL ${EDGEMOE_SOURCE_DIR}/systemd/README.md DESTINATION ${docdir}/systemd)
