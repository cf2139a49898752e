# SPDX-License-Identifier: Apache-2.0
#
# Run by `cmake --install`: the configuration and the units, for the prefix of this installation,
# which may be another than the one that was configured. Under /usr the configuration is in /etc.
# Wants EDGEMOE_SOURCE_DIR, EDGEMOE_BINARY_DIR, and EDGEMOE_BINDIR and EDGEMOE_DOCDIR, which are below the prefix.
set(bindir ${CMAKE_INSTALL_PREFIX}/${EDGEMOE_BINDIR})
set(docdir ${CMAKE_INSTALL_PREFIX}/${EDGEMOE_DOCDIR})
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

# install_unit(SOURCE UNIT FOLDER): systemd/SOURCE.in as FOLDER/UNIT.
function(install_unit source unit folder)
  set(made ${EDGEMOE_BINARY_DIR}/units/${folder}/${unit})
  configure_file(${EDGEMOE_SOURCE_DIR}/systemd/${source}.in ${made} @ONLY)
  file(INSTALL ${made} DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/${folder})
endfunction()

# The one daemon of a machine, and further ones by name.
set(instance_title "")
set(instance_config edgemoed)
set(instance_folder edgemoe)
foreach(unit edgemoed.service edgemoed.socket edgemoe-download@.service edgemoe-download.socket)
  install_unit(${unit} ${unit} system)
endforeach()
set(instance_title " (%i)")
set(instance_config %i)
set(instance_folder edgemoe-%i)
install_unit(edgemoed.service edgemoed@.service system)
install_unit(edgemoed.socket edgemoed@.socket system)
install_unit(edgemoed.user.service edgemoed.service user)
file(INSTALL ${EDGEMOE_SOURCE_DIR}/systemd/edgemoe.sysusers.conf
     DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/sysusers.d RENAME edgemoe.conf)
file(INSTALL ${EDGEMOE_SOURCE_DIR}/systemd/edgemoe.tmpfiles.conf
     DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/tmpfiles.d RENAME edgemoe.conf)
file(INSTALL ${EDGEMOE_SOURCE_DIR}/systemd/README.md DESTINATION ${docdir}/systemd)
