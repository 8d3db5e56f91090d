#!/usr/bin/env bash
# Check the models of the protocol with spin, and what spin takes for granted
# with litmus tests.
#
#	model.sh build/release/model [deep]
#
# First every model must hold, in each of its variants.  Then every BREAK_ that
# it knows, which takes a step away or puts it where it does not belong, must
# make spin find an error in one of them: else the model would not see it in the
# code either.  Last the litmus test, with the product's fences and without.
# `deep' adds variants that take minutes, and must hold too.  JOBS=2 (default:
# the cores) run at a time.  What it says, in less than a minute on two cores:
#
#	holds     708191 states    1.5 s  ring -DNWRITERS=1 -DFILLED=2 -DCAP=2 -DMAXPOS=5 -DBATCHES=2
#	holds     548860 states    1.4 s  ring -DCAP=2 -DMAXPOS=3 -DBATCHES=2 -DMAXD=2
#	holds      96266 states    0.7 s  topics
#	holds     126561 states    0.8 s  wake -DTSO -DMAXM=1
#	holds     626312 states    1.8 s  wake -DMAXM=1 -DMAXD=1 -DMAXEND=1
#	holds    1337296 states    2.4 s  wake -DCAP=1
#	holds    1365749 states    3.2 s  wake -DSTOPPED
#	holds     738240 states    1.7 s  resume
#	holds      18428 states    0.7 s  members
#	holds     136810 states    0.7 s  drain -DHALF -DMAXD=0
#	holds     228804 states    0.8 s  drain -DMESSAGES=1
#	holds     364432 states    1.0 s  drain -DSUPERVISOR_DIES -DMESSAGES=1
#	... the variants of cluster, and lines like
#	breaks      3036 states    0.6 s  ring BREAK_APPLIED_BEFORE_DIRECTORY
#	litmus litmus wake: none was lost in 500000 races
#	litmus no_wake_fence wake: one was lost after 4 races
#	litmus no_sleep_fence wake: one was lost after 4 races
#	litmus litmus read: none was lost in 100000 reads too late
#	litmus unchecked read: one was lost after 0 reads too late
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

export LC_ALL=C
programs=$1
jobs_max=${JOBS:-$(nproc)}
read -ra cc <<<"${CC:-cc}" # as make takes it: ccache gcc
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM
command -v spin >/dev/null || die 'there is no spin here (apt-get install spin)'

# The variants, the quick ones of a model first: there its BREAK_s are tried.
quick=(
	'ring -DNWRITERS=1 -DFILLED=2 -DCAP=2 -DMAXPOS=5 -DBATCHES=2'
	'ring -DCAP=2 -DMAXPOS=3 -DBATCHES=2 -DMAXD=2'
	'topics'
	'wake -DTSO -DMAXM=1'
	'wake -DMAXM=1 -DMAXD=1 -DMAXEND=1'
	'wake -DCAP=1'
	'wake -DSTOPPED'
	'resume'
	'members'
	'drain -DHALF -DMAXD=0'
	'drain -DMESSAGES=1'
	'drain -DSUPERVISOR_DIES -DMESSAGES=1'
	'cluster -DMAXD=1 -DCHECKS=0 -DOTHERS=0'
	'cluster -DMAXD=1 -DDROPS=1 -DCHECKS=0 -DOTHERS=0'
	'cluster -DLOSSES=1 -DCHECKS=0 -DOUTS=3'
	'cluster -DRECONNECTS=1 -DCHECKS=0'
	'cluster -DRENEWS=1 -DOTHERS=0'
	'cluster -DMAXD=1 -DOTHERS=0'
)
deep=(
	'ring -DCAP=2 -DMAXPOS=4 -DBATCHES=2 -DMAXD=2'
	'ring -DCAP=2 -DMAXPOS=4 -DBATCHES=3'
	'ring -DCAP=3 -DMAXPOS=5 -DBATCHES=3'
	'ring -DFILLED=2 -DCAP=2 -DMAXPOS=5 -DBATCHES=2 -DMAXD=2'
	'topics -DSLOTS=3 -DNAMES=4 -DOPENS=5 -DMAXD=3'
	'wake -DCAP=1 -DMAXD=1'
	'wake -DMAXM=3'
	'wake -DSTOPPED -DMAXD=1'
	'wake -DTSO -DCAP=1'
	'wake -DTSO -DMAXM=1 -DMAXD=1 -DMAXEND=1'
	'resume -DMAXD=1'
	'resume -DCAP=3 -DMAXM=5'
	'members -DACTIONS=7 -DMAXD=4'
	'drain -DHALF'
	'drain -DSUPERVISOR_DIES -DHALF'
	'drain -DHALF -DMAXD=2'
	'cluster -DLAGS'
	'cluster -DMAXD=1'
)

# Search one variant in a directory of its own.  Its states and seconds, and the
# error that was found if one was, go to files there.  To compile the search
# well takes longer than most of the searches do.
optimize=-O0 table=20
search()
{
	local dir=$1 model=$2 from=$EPOCHREALTIME
	shift 2

	mkdir "$dir"
	(
		cd "$dir"
		spin -a "$@" "$OLDPWD/tests/model/$model.pml"
		"${cc[@]}" "$optimize" -w -DSAFETY -DNOCLAIM -DCOLLAPSE \
			-DMEMLIM=1500 -o pan pan.c
		timeout 600 ./pan -m100000 "-w$table"
	) >"$dir/log" 2>&1 || true
	rm -f "$dir"/pan*
	awk '/states, stored/ && !n { n = $1 } END { print n + 0 }' \
		"$dir/log" >"$dir/states"
	awk -v from="$from" -v to="$EPOCHREALTIME" \
		'BEGIN { printf "%.1f\n", to - from }' >"$dir/seconds"
	sed -nE 's/^pan:1: (assertion violated|invalid end state).*/\1/p' \
		"$dir/log" >"$dir/error"
}

# Say what a directory's search came to.
report()
{
	local verdict=$1 dir=$2 what=$3

	printf '%-6s %9d states %6s s  %s\n' "$verdict" "$(cat "$dir/states")" \
		"$(cat "$dir/seconds")" "$what"
}

# All states were searched, and nothing was wrong.
must_hold()
{
	local dir=$1 model=$2
	shift 2

	search "$dir" "$model" "$@"
	if grep -q 'errors: 0' "$dir/log" &&
		! grep -qiE 'not completed|too small|out of memory|MEMLIM' "$dir/log"; then
		report holds "$dir" "$model${*:+ $*}"
	else
		report FAILED "$dir" "$model${*:+ $*}"
		tail -n 20 "$dir/log"
	fi
}

# One of the model's quick variants finds it.
must_break()
{
	local dir=$1 model=$2 broken=$3 n=0 variant
	local flags

	mkdir "$dir"
	for variant in "${quick[@]}"; do
		read -ra flags <<<"$variant"
		[ "${flags[0]}" = "$model" ] || continue
		n=$((n + 1))
		search "$dir/$n" "$model" "${flags[@]:1}" "-D$broken"
		if [ -s "$dir/$n/error" ]; then
			report breaks "$dir/$n" "$model $broken"
			return
		fi
	done
	report FAILED "$dir/$n" "$model $broken: nothing breaks"
	tail -n 20 "$dir/$n/log"
}

# Start a check beside the others.  Its words come when all are done.
n=0
start()
{
	n=$((n + 1))
	while [ "$(jobs -rp | wc -l)" -ge "$jobs_max" ]; do
		wait -n
	done
	"$1" "$work/$n" "${@:2}" >"$work/$n.said" 2>&1 &
}

# Run a litmus test: none may be lost (0), or one must be (1).  Returns 1 where
# it cannot be run.
litmus()
{
	local wanted=$1 program=$2 kind=$3 count=$4 said status=0

	said=$("$programs/$program" "$kind" "$count" 20) || status=$?
	if [ $status -eq 77 ]; then
		echo "$said"
		return 1
	elif [ $status -eq "$wanted" ]; then
		echo "litmus $program $kind: $said"
	else
		echo "FAILED litmus $program $kind: $said (status $status)"
	fi
}

hold_all()
{
	local variant
	local words

	for variant; do
		read -ra words <<<"$variant"
		start must_hold "${words[@]}"
	done
}

hold_all "${quick[@]}"
for model in ring topics wake resume members drain cluster; do
	while read -r broken; do
		start must_break "$model" "$broken"
	done < <(grep -oE 'BREAK_[A-Z_]+' "tests/model/$model.pml" | sort -u)
done
if [ "${2:-}" = deep ]; then
	optimize=-O2 table=24
	hold_all "${deep[@]}"
fi
wait
for ((i = 1; i <= n; i++)); do
	cat "$work/$i.said"
done | tee "$work/said"
if litmus 0 litmus wake 500000; then
	litmus 1 no_wake_fence wake 1000000000
	litmus 1 no_sleep_fence wake 1000000000
	litmus 0 litmus read 100000
	litmus 1 unchecked read 1000000000
fi | tee -a "$work/said"
[ "$(grep -cE '^(holds|breaks) ' "$work/said")" -eq $n ] &&
	grep -qE '^(litmus unchecked|skipped)' "$work/said" &&
	! grep -q '^FAILED' "$work/said"
