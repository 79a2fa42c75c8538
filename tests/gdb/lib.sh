# For the scripts of this folder: gdb drives a guest in the folder $tmp, where $guest is the
# process of v2e.
# at LABEL-OR-TEXT [LISTING]: the linear address of the first line of the listing with it
at()
{
	offset=$(grep -F -e "$1" "${2:-modes.lst}" | head -n 1 | awk '{ print $2 }')
	printf '0x%x\n' $((0x7c00 + 0x$offset))
}

# awaits_file FILE: true when it is there and not empty, or its maker is not any more.
awaits_file()
{
	tries=0
	while [ ! -S "$1" ] && [ ! -s "$1" ] && [ $tries -lt 600 ] && kill -0 $guest 2>/dev/null; do
		sleep 0.1
		tries=$((tries + 1))
	done
}

# drive SCRIPT: has gdb carry out the commands; output in out.
drive()
{
	{
		echo "set pagination off"
		echo "set confirm off"
		echo "target remote $tmp/gdb.sock"
		echo "$1"
	} >commands
	timeout 100 gdb -nx -q -batch -x commands >out 2>&1 </dev/null
}

# shows TEXT...: each is in the output.
shows()
{
	for text; do
		echo "looking for: $text"
		grep -qF -e "$text" out || return 1
	done
}
