#!/usr/bin/env bash
# websocket.el 1.13 (Debian 12, elpa-websocket): a Close frame is taken for one
# byte long, and the rest of it is read as the next frames.
#
# Expected: a Close with a code and a reason (RFC 6455, section 5.5.1) ends the
# connection quietly, whatever the reason is.
# Seen: only the frame's first byte is consumed, so the length byte becomes the
# first byte of a frame.  A body of 9 bytes (code and 7 bytes of reason) has the
# length byte 0x09, which is a ping: the client answers a ping that nobody sent on
# the connection that it has just closed, and `websocket-closed' is raised out of
# the process filter.  With a body of 8 or 10 bytes nothing is to be seen.
# Consequence for a server: the length of a reason is not as harmless as it looks.
. "$(dirname "$0")/lib.sh"

debian elpa-websocket=1.13-3 emacs-nox=1:28.2+1-15+deb12u4
cat >"$work/client.el" <<'EOF'
(require 'websocket)
(let ((socket (websocket-open (pop command-line-args-left)
                              :on-close (lambda (_) (princ "closed\n")))))
  (while (not (eq (websocket-ready-state socket) 'closed))
    (accept-process-output nil 0.1)))
EOF

# What it prints; of a backtrace the error and the frame that it names.
client()
{
	{
		EMACSLOADPATH=$(printf '%s:' "$root"/usr/share/emacs/28.2/lisp{,/*/}) \
		EMACSDATA=$root/usr/share/emacs/28.2/etc \
		timeout 20 emacs -Q --batch \
			-L "$root/usr/share/emacs/site-lisp/elpa-src/websocket-1.13" \
			-l "$work/client.el" "$1" \
			2>&1 || true
	} | grep -aoE \
		'^closed$|Lisp error: .websocket-closed|:opcode pong :payload "[^"]*"' |
		awk '!seen[$0]++'
}

# Close 1001 "bye bye", of 7 bytes, then, in a second run, "bye", of 3
serve 880903e962796520627965
first=$(client "$url")
serve 880503e9627965
second=$(client "$url")
expect 'Lisp error: (websocket-closed
:opcode pong :payload "\351by"
closed
then: closed' "$first
then: $second"
