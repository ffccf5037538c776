import { statFunction } from "./shell.ts";

/**
 * `rotate`: moves away logs that have grown, and asks their process for a new one. One for all members of a stack.
 *
 * Arguments: seconds between looks, bytes from which a log is moved, old logs to keep. Works in supervisord's
 * folder. Only a process that has run for a minute is signalled: earlier the signal might end it.
 */
export const rotateScript = `#!/bin/sh
umask 077
line() {
	sed -n "$2p" "$1" 2>/dev/null
}

${statFunction}

# rotate LOG COPIES SIGNAL RECORD
rotate() {
	pid=$(line "$4" 1) began=$(line "$4" 4)
	[ -n "$pid" ] && [ -n "$began" ] && [ "$(stat "$pid" 20)" = "$(line "$4" 2)" ] || return 0
	[ $(($(date +%s) - began)) -ge 60 ] || return 0
	copy=$2
	while [ "$copy" -gt 1 ]; do
		if [ -e "$1.$((copy - 1))" ]; then mv -f "$1.$((copy - 1))" "$1.$copy"; fi
		copy=$((copy - 1))
	done
	mv -f "$1" "$1.1" && kill -s "$3" "$pid"
}

while true; do
	for log in folders/*/log/*.log; do
		[ -f "$log" ] && [ "$(wc -c <"$log")" -gt "$2" ] || continue
		name=\${log##*/}
		run=\${log%/log/*}/run/\${name%.log}
		signal=$(line "$run.rotate" 1)
		[ -z "$signal" ] || rotate "$log" "$3" "$signal" "$run.started"
	done
	sleep "$1"
	# Ends with its supervisord: the next one has a rotate of its own.
	[ "$(stat $$ 2)" = "$PPID" ] || exit 0
done
`;
