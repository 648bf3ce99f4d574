# Sourced by every test in the lab. Provides a folder $dir of its own, and the verbs below; a test ends
# with status 0 if it passed, through fail() if not, through skip() if it cannot be done here.
#
#	guest <<EOF		script for the next guest: becomes /run.sh of its initramfs
#	boot ARG...		start the VMM with stock kernel and initramfs, more arguments as given
#	vmm ARG...		start the VMM with just these arguments
#	qmp WORD...		talk to it (see qmpsh.c)
#	seen PATTERN		wait until the guest's console has a line matching
#	gone STATUS		wait until the VMM ended, with that status
#	refused PATTERN ARG...	the VMM must refuse these arguments in one line (and advice), status 1
#
# The guest's console is $dir/console, what the VMM itself prints is in $dir/output.

dir=$(mktemp -d /tmp/test.XXXXXX)
console=$dir/console
output=$dir/output
initrd=/lab/guest.cpio
kernel=/lab/bzImage
append="console=ttyS0 loglevel=5"
memory=256
pid=
cd "$dir" || exit 1

case $VMM in
*/quail) is_quail=y ;;
*) is_quail= ;;
esac

finish()
{
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	cd /
	rm -rf "$dir"
}
trap finish EXIT

fail()
{
	exec >&2
	echo "FAILED: $*"
	for log in "$output" "$console"; do
		[ ! -s "$log" ] || { echo "--- end of $log"; tail -n 25 "$log"; }
	done
	exit 1
}

skip()
{
	echo "$*"
	exit 77
}

guest()
{
	mkdir -p "$dir/overlay"
	{ echo '#!/bin/sh'; cat; } > "$dir/overlay/run.sh"
	chmod +x "$dir/overlay/run.sh"
	initrd=$dir/initrd
	{ cat /lab/guest.cpio; (cd "$dir/overlay" && echo run.sh | cpio -o -H newc 2>/dev/null); } > "$initrd"
}

vmm()
{
	"$VMM" "$@" > "$output" 2>&1 < /dev/null &
	pid=$!
}

boot()
{
	vmm -M pc -accel kvm -m "$memory" -nodefaults -display none -kernel "$kernel" -initrd "$initrd" \
		-append "$append" -serial "file:$console" -qmp "unix:$dir/qmp,server=on,wait=off" "$@"
}

qmp()
{
	qmpsh "$dir/qmp" "$@" 2>>"$dir/events" || fail "QMP: $*"
}

running()
{
	[ -n "$pid" ] && kill -0 "$pid" 2>/dev/null
}

matches()
{
	count=$(cat "$console" 2>/dev/null | grep -c -e "$1")
	[ "$count" -ge "$2" ]
}

# seen PATTERN [COUNT]: COUNT lines must match. The time limit of the whole test ends a vain wait.
seen()
{
	until matches "$1" "${2:-1}"; do
		if ! running; then
			matches "$1" "${2:-1}" || fail "the VMM ended before the console showed '$1'"
			return
		fi
		if matches 'Kernel panic' 1 && [ "$1" != 'Kernel panic' ]; then
			fail "the guest's kernel panicked"
		fi
		usleep 100000
	done
}

gone()
{
	wait "$pid"
	status=$?
	pid=
	[ "$status" = "$1" ] || fail "the VMM ended with status $status instead of $1"
}

# no_complaints [LINE]: what the guest's kernel said after that line of its console. That the emulated
# TSC of the lab is no good clock is true, and not the VMM's fault; nor is it that ticks come too late for
# the kernel's check of the timer where the host is busy.
no_complaints()
{
	complaints=$(tail -n "+${1:-1}" "$console" |
		grep -iE 'unstable|rcu.*(stall|detected)|lockup|hung task|blocked for|skew|BUG:|WARNING:|Oops' |
		grep -vE "tracing clock|TSC unstable|8254 timer not connected|clocksource 'tsc(-early)?' as unstable")
	[ -z "$complaints" ] || fail "the guest complained: $complaints"
}

# said PATTERN WHAT: one line of error, in which PATTERN is, and at most two of advice below it.
said()
{
	head -n 1 "$output" | grep -q "^quail: .*$1" || fail "no '$1' in what it said for: $2"
	[ "$(grep -c '^quail: ' "$output")" = 1 ] || fail "more than one error for: $2"
	[ "$(wc -l < "$output")" -le 3 ] || fail "more than two lines of advice for: $2"
	head -n 1 "$output"
}

refused()
{
	pattern=$1
	shift
	timeout -s KILL 60 "$VMM" "$@" > "$output" 2>&1 < /dev/null
	status=$?
	[ "$status" = 1 ] || fail "status $status instead of 1 for: $*"
	said "$pattern" "$*"
}

# Tests that boot through Debian's SeaBIOS.
has_seabios()
{
	[ -e /usr/share/seabios/bios-256k.bin ] || skip "Debian's package seabios is not installed"
}
