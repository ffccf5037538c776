import { statFunction } from "../platform/shell.ts";

/**
 * `guard`: stops a PostgreSQL that nobody governs. postgres has a session of its own and survives its Patroni; while
 * Patroni is gone, another member is elected and the old leader would go on taking writes. It has to stop before that:
 * a standby that has not yet heard of its new leader goes on confirming the old one's commits, and they are lost.
 *
 * Arguments: folder of the member, seconds that Patroni may be gone (profile.ts). Reads `run/patroni.started` (pid, start time in
 * ticks, boot id, …) each second, and `postmaster.pid` of `data/postgres`. Told to end while Patroni is gone, it stops
 * PostgreSQL at once, so that a stopped member leaves nothing behind. It must work on a full disk.
 */
export const guardScript = `#!/bin/sh
umask 077
folder=$1 patience=$2
# Seconds after its start until a Patroni counts: one that keeps dying renews no lock.
settled=5
stopping=
for signal in TERM INT QUIT; do trap 'stopping=1' "$signal"; done

${statFunction}

# Line $2 of a small file.
line() {
	sed -n "$2p" "$1" 2>/dev/null
}

# $1 when it is a number, else nothing: a standalone backend writes its pid with a minus sign.
number() {
	case $1 in '' | *[!0-9]*) ;; *) echo "$1" ;; esac
}

# Seconds since boot: not moved when somebody sets the clock.
now() {
	read -r seconds rest </proc/uptime
	echo "\${seconds%%.*}"
}

note() {
	echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*" 2>/dev/null >>log/guard.log || true
} 2>/dev/null

patroni_lives() {
	pid=$(number "$(line run/patroni.started 1)")
	ticks=$(line run/patroni.started 2)
	[ -n "$pid" ] && [ -n "$ticks" ] && [ "$(line run/patroni.started 3)" = "$boot" ] && [ "$(stat "$pid" 20)" = "$ticks" ]
}

# Whether process $1 started within 5 s of the time (epoch seconds) in line 3 of postmaster.pid.
started_then() {
	then=$(number "$(line data/postgres/postmaster.pid 3)")
	booted=$(sed -n 's/^btime //p' /proc/stat)
	ticks=$(stat "$1" 20)
	[ -n "$then" ] && [ -n "$booted" ] && [ -n "$ticks" ] || return 1
	apart=$((booted + ticks / hertz - then))
	[ "$apart" -ge -5 ] && [ "$apart" -le 5 ]
}

# Pid of the postmaster that runs on this member's data; nothing when there is none. A pid can be another process's by
# now: it must be a postgres that works in the data folder, or, where that cannot be seen, one as old as it says.
postmaster() {
	pid=$(number "$(line data/postgres/postmaster.pid 1)")
	[ -n "$pid" ] && [ -n "$(stat "$pid" 1)" ] || return 0
	read -r name 2>/dev/null <"/proc/$pid/comm" || return 0
	case $name in postgres | postmaster) ;; *) return 0 ;; esac
	if works=$(readlink "/proc/$pid/cwd" 2>/dev/null); then
		[ "$works" = "$(cd data/postgres 2>/dev/null && pwd -P)" ] || return 0
	else
		started_then "$pid" || return 0
	fi
	echo "$pid"
}

# An immediate shutdown: PostgreSQL's own recovery makes good for it. A frozen postmaster has to be woken to obey.
stop_postmaster() {
	pid=$1
	born=$(stat "$pid" 20)
	note "stopping postmaster $pid: $2"
	kill -s QUIT "$pid" 2>/dev/null
	kill -s CONT "$pid" 2>/dev/null
	waited=0
	while [ -n "$born" ] && [ "$(stat "$pid" 20)" = "$born" ]; do
		if [ "$waited" -ge 10 ]; then
			note "postmaster $pid does not stop: killing it"
			kill -s KILL "$pid" 2>/dev/null
			waited=0
		fi
		sleep 1
		waited=$((waited + 1))
	done
	note "postmaster $pid is gone"
}

read -r boot </proc/sys/kernel/random/boot_id
hertz=$(getconf CLK_TCK 2>/dev/null) || hertz=100
until cd -P "$folder" 2>/dev/null; do
	[ -z "$stopping" ] || exit 0
	sleep 1
done
seen=$(now)
while [ -z "$stopping" ]; do
	if patroni_lives; then
		time=$(now)
		[ $((time - ticks / hertz)) -lt "$settled" ] || seen=$time
	elif [ $(($(now) - seen)) -gt "$patience" ]; then
		orphan=$(postmaster)
		[ -z "$orphan" ] || stop_postmaster "$orphan" "Patroni has been gone for more than $patience s"
	fi
	sleep 1
done
patroni_lives && exit 0
orphan=$(postmaster)
[ -z "$orphan" ] || stop_postmaster "$orphan" "the member is stopped and Patroni is gone"
exit 0
`;
