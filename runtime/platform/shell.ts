/** What the scripts that watch processes share: `stat PID FIELD`, in POSIX sh. */
export const statFunction = `# Field $2 of /proc/$1/stat, counted from the state (1); nothing when the process is gone or waits to be reaped.
stat() {
	read -r line 2>/dev/null <"/proc/$1/stat" || return 0
	field=$2
	set -- \${line##*) }
	case $1 in [ZX]) return 0 ;; esac
	shift $((field - 1))
	echo "$1"
}`;
