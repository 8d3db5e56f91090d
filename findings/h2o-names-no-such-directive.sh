#!/usr/bin/env bash
# h2o 2.2.5 (Debian 12): the error about the PROXY protocol names a directive that
# there is not.
#
# Expected: a configuration in which the directive that the error names is set as it
# says is accepted.
# Seen: proxy.proxy-protocol together with connections that are kept to the backend is
# refused: "please either set `proxy.use-proxy-protocol` to `OFF` or ...".  Whoever
# does so gets "unknown command: proxy.use-proxy-protocol"; it is called
# proxy.proxy-protocol, as in the manual.
# Consequence for a server: a configuration to copy, with proxy.timeout.keepalive: 0.
# shellcheck disable=SC2016 # as h2o quotes it
. "$(dirname "$0")/lib.sh"

debian h2o=2.2.5+dfsg2-7

# Whether h2o takes a configuration with these lines, or why not.
verdict()
{
	cat >"$work/h2o.conf" <<CONF
listen: 8080
hosts:
  default:
    paths:
      /:
        proxy.reverse.url: "http://127.0.0.1:8000/"
$(printf '        %s\n' "$@")
CONF
	h2o -t -c "$work/h2o.conf" 2>&1 |
		grep -oE 'configuration OK|set `[^`]*` to `OFF`|unknown command: .*' |
		head -n 1
}

seen=$(verdict 'proxy.proxy-protocol: ON'
	verdict 'proxy.use-proxy-protocol: OFF'
	verdict 'proxy.proxy-protocol: ON' 'proxy.timeout.keepalive: 0')
expect 'set `proxy.use-proxy-protocol` to `OFF`
unknown command: proxy.use-proxy-protocol
configuration OK' "$seen"
