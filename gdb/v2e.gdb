# For GDB: gdb -x gdb/v2e.gdb, or `source` it. GDB asks for the registers and the
# architecture once; the guest changes between 16 and 32 bits all the time. This
# makes GDB ask again at each stop.
define hook-stop
unset tdesc filename
end
