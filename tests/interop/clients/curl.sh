# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# curl has no idea of events: it prints the stream's lines as they come.
{ curl -sN "$1"; echo "closed with exit status $?"; } |
	while IFS= read -r line; do
		case $line in
		'event: ready') echo open; event=ready ;;
		'event: gap') echo gap; event=gap ;;
		'data: '*) [ -n "$event" ] || echo "message ${line#data: }" ;;
		'') event= ;;
		closed*) echo "$line" ;;
		esac
	done
