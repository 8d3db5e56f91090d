#!/usr/bin/env bash
# Hold the pages (*.md) to the tree.  Fail where
#	a link to a file, or to a heading (#...), leads nowhere;
#	a page cannot be reached by links from README.md;
#	a file is named that does not exist, as broker/ring/ring.c, or a test, as
#	"e2e/death" or "unit/ring/test_topics" in a table, or a function of the
#	program, as `io_read()`.
# Web addresses are not looked at, and neither is what stands in blocks of code.
#
#	check-pages.sh [DIRECTORY]	of the tree; this one
set -eu
cd "${1:-$(dirname "$0")/..}"
mapfile -t pages < <(find . -name '*.md' -not -path '*/node_modules/*' \
	-not -path './build/*' -printf '%P\n' | sort)

awk '
function wrong(why) {
	print FILENAME ":" FNR ": " why
	failed = 1
}

# The words of a heading as its anchor has them; the second of the same words
# gets -1 behind it.
function anchor(text, slug) {
	gsub(/\[|\]\([^)]*\)|…/, "", text)
	slug = tolower(text)
	gsub(/[][!"#$%&()*+,.\/:;<=>?@\\^`{|}~\047]/, "", slug)
	gsub(/ /, "-", slug)
	return slug (seen[FILENAME, slug]++ ? "-" seen[FILENAME, slug] - 1 : "")
}

# A path without "..", from the top of the tree.
function path_of(target, parts, n, i, path) {
	path = FILENAME
	if (!sub(/\/[^\/]*$/, "/", path))
		path = ""
	n = split(path target, parts, "/")
	path = ""
	for (i = 1; i <= n; i++)
		if (parts[i] == "..")
			sub(/\/?[^\/]*$/, "", path)
		else if (parts[i] != "" && parts[i] != ".")
			path = path (path == "" ? "" : "/") parts[i]
	return path
}

function exists(path) {
	if (!(path in known))
		known[path] = system("test -e \"" path "\"") == 0
	return known[path]
}

function look_at_link(target, at, path, heading) {
	if (target ~ /^[a-z]+:/)
		return
	at = index(target, "#")
	heading = at ? substr(target, at + 1) : ""
	path = at == 1 ? FILENAME : path_of(at ? substr(target, 1, at - 1) : target)
	if (!exists(path))
		wrong("no such file: " target)
	else if (heading != "" && !((path, heading) in anchors))
		wrong("no such heading: " target)
	else
		links[FILENAME] = links[FILENAME] " " path
}

function look_at_word(word) {
	if (word ~ /^(broker|common|findings|public|scripts|tests|worker)\/[^ *]*\.(c|h|in|js|json|mjs|py|sh|svg|yml)$/) {
		if (!exists(word))
			wrong("no such file: " word)
	} else if (word ~ /^(e2e|browser|interop)\/[a-z0-9-]+$/) {
		if (!exists("tests/" word ".test.mjs") && !exists("tests/" word))
			wrong("no such test: " word)
	} else if (word ~ /^(unit|mp)\/([a-z]+\/)?test_[a-z0-9_]+$/ &&
	    !exists("tests/" word ".c"))
		wrong("no such test: " word)
}

function look_at_function(name) {
	if (!(name in functions))
		functions[name] = system("grep -rqE \"(^|[ *])" name \
		    "\\\\(\" --include=*.[ch] broker common worker") == 0
	if (!functions[name])
		wrong("no such function: " name "()")
}

function each_function(line) {
	while (match(line, /`[a-z0-9]+_[a-z0-9_]*\(\)`/)) {
		look_at_function(substr(line, RSTART + 1, RLENGTH - 4))
		line = substr(line, RSTART + RLENGTH)
	}
}

function each_link(line) {
	while (match(line, /\]\([^) ]+\)/)) {
		look_at_link(substr(line, RSTART + 2, RLENGTH - 3))
		line = substr(line, RSTART + RLENGTH)
	}
}

function each_word(line, words, n, i) {
	n = split(line, words, /[^A-Za-z0-9_.\/*-]+/)
	for (i = 1; i <= n; i++) {
		sub(/\.$/, "", words[i])
		look_at_word(words[i])
	}
}

# Mark what can be reached from a page.
function reach(page, targets, n, i) {
	if (reached[page]++)
		return
	n = split(links[page], targets, " ")
	for (i = 1; i <= n; i++)
		reach(targets[i])
}

# Each page is read twice: for its headings, then for its links.
FNR == 1 { turn[FILENAME]++; code = 0; last = "" }
/^```/ { code = !code; next }
code || (/^    / && last == "") { next }
{ last = $0 }
turn[FILENAME] == 1 && /^#+ / {
	sub(/^#+ /, "")
	anchors[FILENAME, anchor($0)] = 1
}
turn[FILENAME] == 2 {
	each_link($0)
	each_function($0)
	each_word($0)
}
END {
	reach("README.md")
	for (i = 1; i < ARGC; i++)
		if (!reached[ARGV[i]]++) {
			print ARGV[i] ": no page that README.md leads to has a link to it"
			failed = 1
		}
	exit failed
}
' "${pages[@]}" "${pages[@]}"
