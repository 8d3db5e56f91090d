# SPDX-License-Identifier: MIT
package require websocket

websocket::loglevel critical
fconfigure stdout -encoding utf-8 -buffering line
lassign $argv url protocol
set lines [lrange $argv 2 end]

proc told {socket type text} {
	switch $type {
	connect {
		puts "open $::protocol"
		foreach line $::lines { websocket::send $socket text $line }
	}
	text {
		puts "message $text"
		if {[string match >* $text]} {
			websocket::send $socket text [string range $text 1 end]
		}
		if {$text eq "bye"} { websocket::close $socket 1000 }
	}
	error { puts "raised $text" }
	close - disconnect {
		puts "closed $text"
		set ::ended 1
	}
	}
}

websocket::open $url told {*}[expr {$protocol eq "" ? "" :
	[list -protocol [list $protocol]]}]
vwait ended
