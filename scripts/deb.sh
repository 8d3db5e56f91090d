#!/usr/bin/env bash
# Build the Debian package of the files that git knows, in OUT/deb, without
# touching the source: a copy of them with scripts/debian as debian/.  Then have
# lintian look at it, where that is installed.
#
#	deb.sh OUT VERSION
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh
out=$1 version=$2
copy=$out/deb/pubsubd-$version

command -v dh >/dev/null || die 'there is no debhelper here: apt-get install debhelper'
rm -rf "$out/deb"
mkdir -p "$copy"
git ls-files -z | tar --null -T - -cf - | tar -C "$copy" -xf -
cp -R "$copy/scripts/debian" "$copy/debian"
cp scripts/pubsubd.sysusers "$copy/debian/pubsubd.sysusers"
# The date of the last commit, so that the same source makes the same package.
date=$(git log -1 --format=%cD 2>/dev/null || date -R)
sed -i "s/@version@/$version/; s/@date@/$date/" "$copy/debian/changelog"
(
	cd "$copy"
	# Variables of the make that called would be the package's, too.
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		dpkg-buildpackage --build=binary --unsigned-changes --no-check-builddeps \
		>../build.log 2>&1
) || {
	tail -n 40 "$out/deb/build.log" >&2
	die "the build failed: $out/deb/build.log"
}
rm -rf "$copy"
echo "$out"/deb/pubsubd_*.deb
if command -v lintian >/dev/null; then
	lintian --allow-root --fail-on error,warning "$out"/deb/*.changes
else
	echo "skipped: there is no lintian here"
fi
