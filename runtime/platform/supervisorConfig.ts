import { backoff, contracts, openFiles, rotation } from "./contract.ts";
import { holdScript } from "./hold.ts";
import { rotateScript } from "./rotate.ts";
import type { ProcessRecord } from "./staging.ts";

/**
 * supervisord works in its own folder, and every path here is relative to that: folder names with spaces, "%", "#"
 * or brackets never meet its configuration parser, and the socket's name never meets the limit of 107 bytes.
 */
export const WORKING_FOLDER = "/proc/self/cwd";

export const supervisordConf = `[unix_http_server]
file=${WORKING_FOLDER}/sock
chmod=0700

[supervisord]
nodaemon=true
silent=true
nocleanup=true
childlogdir=${WORKING_FOLDER}
logfile=${WORKING_FOLDER}/supervisord.log
logfile_maxbytes=1MB
logfile_backups=3
pidfile=${WORKING_FOLDER}/supervisord.pid
minfds=256
minprocs=1

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[program:rotate]
command=/bin/sh rotate ${rotation.seconds} ${rotation.bytes} ${rotation.copies}
startretries=1000000
stopasgroup=true
stdout_logfile=NONE
stderr_logfile=NONE

[include]
files=members/*.conf
`;

/** Name of a process in supervisord: unique without its group, as the log has it. */
export const programName = (member: string, process: string): string => `${member}.${process}`;

/**
 * supervisord's section of one member. With startsecs=0 supervisord itself never counts failures: whatever ends
 * otherwise than with a fatal code is started again at once, and hold does the waiting. Output goes to files, not
 * through supervisord: a process that outlives it must not meet a broken pipe.
 */
export function memberConf(member: string, { processes }: ProcessRecord): string {
	const names = processes.map(({ name }) => programName(member, name));
	const sections = processes.map(({ name, program }) => {
		const { stopSignal, stopWait, fatal, longestDelay = backoff.cap } = contracts[program];
		return `
[program:${programName(member, name)}]
command=/bin/sh hold folders/${member} ${name} ${backoff.first} ${longestDelay} ${backoff.calm}
autostart=true
autorestart=unexpected
exitcodes=${fatal.join(",")}
startsecs=0
startretries=1000000
stopsignal=${stopSignal}
stopwaitsecs=${stopWait}
umask=077
stdout_logfile=NONE
stderr_logfile=NONE
`;
	});
	return `[group:${member}]\nprograms=${names.join(",")}\n${sections.join("")}`;
}

/** Files of supervisord's folder that depend on nothing but this version of the runtime. */
export const supervisorFiles: Readonly<Record<string, string>> = {
	"supervisord.conf": supervisordConf,
	hold: holdScript.replace("__OPEN_FILES__", String(openFiles)),
	rotate: rotateScript,
};
