import { statFunction } from "./shell.ts";

/**
 * `hold`: what supervisord runs for a process. It waits before a start that follows failed ones, notes what it
 * starts, and then becomes the program (exec: same pid, so signals reach the program itself). A process that
 * outlived an earlier supervisord is not started a second time: hold stands in for it until it ends.
 * It must work on a full disk, and must not end by itself: supervisord would start it again at once.
 *
 * Arguments: folder of the member, process, then first delay, longest delay and calm time in seconds.
 * Reads `conf/<process>.launch` (one argument a line). Where `conf/<process>.held` is there, it starts nothing before
 * `run/<process>.released` is, or the path that `held` names: that path is proof of an earlier start; without it
 * `released` is good for one start, and says what to run. Keeps in `run/`: `<process>.starts` (starts since the last
 * calm one; deleting it asks for a start now), `<process>.waiting` (epoch seconds of the next start),
 * `<process>.started` (pid, start time in ticks, boot id, epoch seconds, hash of conf/).
 */
export const holdScript = `#!/bin/sh
umask 077
folder=$1 process=$2 first=$3 cap=$4 calm=$5
stopping= orphan=
for signal in TERM INT QUIT; do
	trap "stopping=$signal; [ -z \\"\\$orphan\\" ] || kill -s $signal \\"\\$orphan\\" 2>/dev/null" "$signal"
done

${statFunction}

# Ends with its supervisord: the next one has a hold of its own.
check_parent() {
	[ "$(stat $$ 2)" = "$PPID" ] || exit 0
}

nap() {
	sleep 1
	check_parent
}

# Line $2 of a small file.
line() {
	sed -n "$2p" "$1" 2>/dev/null
}

number() {
	case $1 in '' | *[!0-9]*) echo 0 ;; *) echo "$1" ;; esac
}

# Start time of process $1 in ticks.
born() {
	stat "$1" 20
}

# note FILE LINE...: writes all lines or keeps the file as it is.
note() {
	file=$1
	shift
	printf '%s\\n' "$@" 2>/dev/null >"run/.$file" && mv -f "run/.$file" "run/$file" 2>/dev/null
}

# Hash of all that a start reads; the runtime computes the same (staging.ts).
staged() {
	set --
	for other in conf/*.launch; do
		other=\${other#conf/} other=\${other%.launch}
		[ "$other" = "$process" ] || set -- "$@" ! -path "conf/$other.launch" ! -path "conf/$other.held" ! -path "conf/$other/*"
	done
	find conf -type f ! -name '.*' "$@" -exec sha256sum {} + | LC_ALL=C sort | sha256sum | cut -c1-64
}

# Whether the process was started before, as far as its cluster cares.
is_proven() {
	evidence=$(line "conf/$process.held" 1)
	[ -n "$evidence" ] && [ -e "$evidence" ]
}

# Waits for the leave to start. Who gives it wants a start now: earlier ones that failed no longer count.
wait_for_leave() {
	while [ -z "$stopping" ] && [ -e "conf/$process.held" ] && [ ! -e "run/$process.released" ] && ! is_proven; do
		starts=0
		nap
	done
}

# Sets what to run.
choose_launch() {
	launch=conf/$process.launch
	if [ -e "conf/$process.held" ] && [ -n "$(line "conf/$process.held" 1)" ]; then
		if is_proven; then rm -f "run/$process.released"; else launch=run/$process.released; fi
	fi
	[ -r "$launch" ]
}

# A leave for one start is used up by it, once the start is on record: nobody may take a start under way for none.
use_up() {
	[ "$launch" = "run/$process.released" ] || return 0
	mv -f "$launch" "run/$process.first" 2>/dev/null && launch=run/$process.first
}

# Stands in for a process that an earlier supervisord left, until it ends.
stand_in() {
	pid=$(number "$(line "run/$process.started" 1)")
	ticks=$(line "run/$process.started" 2)
	[ "$(line "run/$process.started" 3)" = "$boot" ] && [ -n "$ticks" ] || return 0
	[ "$pid" != $$ ] && [ "$(born "$pid")" = "$ticks" ] || return 0
	orphan=$pid
	[ -z "$stopping" ] || kill -s "$stopping" "$pid"
	while [ "$(born "$pid")" = "$ticks" ]; do nap; done
	orphan=
}

# Waits as long as $1 earlier starts ask for.
pause() {
	[ "$1" -gt 0 ] || return 0
	delay=$first count=1
	while [ "$count" -lt "$1" ] && [ "$delay" -lt "$cap" ]; do
		delay=$((delay * 2)) count=$((count + 1))
	done
	[ "$delay" -le "$cap" ] || delay=$cap
	note "$process.waiting" $(($(date +%s) + delay))
	counted=
	[ ! -e "run/$process.starts" ] || counted=1
	while [ "$delay" -gt 0 ] && [ -z "$stopping" ]; do
		if [ -n "$counted" ] && [ ! -e "run/$process.starts" ]; then
			starts=0
			break
		fi
		nap
		delay=$((delay - 1))
	done
	rm -f "run/$process.waiting"
}

# Output before the program has opened its own log.
redirect() {
	out=log/$process.out
	if [ -f "$out" ] && [ "$(wc -c <"$out")" -gt 1048576 ]; then mv -f "$out" "$out.1"; fi
	if (true >>"$out") 2>/dev/null; then exec >>"$out" 2>&1; else exec >/dev/null 2>&1; fi
}

# Becomes the program. Nothing is started that is not on record: a later supervisor could not find it.
become() {
	choose_launch || return 0
	note "$process.starts" "$starts" || return 0
	note "$process.started" $$ "$(born $$)" "$boot" "$(date +%s)" "$(staged)" || return 0
	use_up || return 0
	redirect
	set --
	while IFS= read -r argument || [ -n "$argument" ]; do
		set -- "$@" "$argument"
	done <"$launch"
	check_parent
	trap - TERM INT QUIT
	[ -z "$stopping" ] || exit 0
	# Standard input stays supervisord's pipe, read by nobody: supervisord keeps the numbers of closed descriptors in its
	# poll set, and a pipe without a reader that got such a number would keep it busy for ever.
	exec "$@"
}

ulimit -S -n __OPEN_FILES__ 2>/dev/null || ulimit -S -n "$(ulimit -H -n)" 2>/dev/null
read -r boot </proc/sys/kernel/random/boot_id
until cd -P "$folder" 2>/dev/null; do
	[ -z "$stopping" ] || exit 0
	nap
done
stand_in
starts=$(number "$(line "run/$process.starts" 1)")
lasted=$(($(date +%s) - $(number "$(line "run/$process.started" 4)")))
if [ "$lasted" -ge "$calm" ] || [ "$(line "run/$process.started" 3)" != "$boot" ]; then starts=0; fi
while [ -z "$stopping" ]; do
	wait_for_leave
	pause "$starts"
	starts=$((starts + 1))
	[ -n "$stopping" ] || become
done
`;
