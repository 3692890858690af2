# shellcheck shell=sh disable=SC2154 # $missing and $manager are set by tools/prepare.sh
#
# The part of xcaddy.sh that gets the servers which stand for stores in the tests of e2e/; xcaddy.sh reads it in after
# tools/prepare.sh. Only `test` needs them, so nothing else installs them.
#
# They are processes of their own: linked into the tests, their dependencies would raise the versions of the very
# libraries that are tested.

servers=.build/servers

# has looks for a program also where Debian keeps those of root, which are not on everyone's PATH.
has() {
	command -v "$1" >/dev/null || [ -x "$sysroot/usr/sbin/$1" ]
}

# look_for_servers sets $missing to the programs that the system has to bring.
look_for_servers() {
	missing=''
	for program in nginx node npm; do
		has "$program" || missing="$missing${missing:+ }$program"
	done
}

# unchanged STAMP TEXT tells whether this was done before, for the same text.
unchanged() {
	[ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

# build_servers builds those that are written in Go.
build_servers() {
	now=$({
		go env GOVERSION GOOS GOARCH
		cksum e2e/servers/go.mod e2e/servers/go.sum
	} | cksum)
	if [ -x $servers/versitygw ] && [ -x $servers/fake-gcs-server ] && [ -x $servers/pebble ] && [ -x $servers/pebble-challtestsrv ] && unchanged $servers/stamp "$now"; then
		return
	fi
	rm -f $servers/stamp
	mkdir -p $servers
	say "building Versity S3 gateway, fake-gcs-server and Pebble, as e2e/servers/go.mod pins them (the first time takes minutes)"
	CGO_ENABLED=0 go -C e2e/servers build -o ../../$servers/ tool ||
		refuse "cannot build the servers that the tests need" "go failed, as it says above" \
			"cd e2e/servers && CGO_ENABLED=0 go build -o ../../$servers/ tool"
	echo "$now" >$servers/stamp
}

# install_from_npm FOLDER NAME installs what is written in JavaScript. No script of a package is run: none is needed.
install_from_npm() {
	now=$(cksum "e2e/servers/$1/package-lock.json")
	if unchanged "$servers/$1/stamp" "$now"; then
		return
	fi
	rm -f "$servers/$1/stamp"
	mkdir -p "$servers/$1"
	cp "e2e/servers/$1/package.json" "e2e/servers/$1/package-lock.json" "$servers/$1/"
	say "installing $2, as e2e/servers/$1/package-lock.json pins it"
	(cd "$servers/$1" && npm ci --ignore-scripts --omit=dev --no-audit --no-fund --loglevel=error) ||
		refuse "cannot install $2" "npm failed, as it says above" "cd $servers/$1 && npm ci --ignore-scripts"
	echo "$now" >"$servers/$1/stamp"
}

prepare_servers() {
	say "looking for nginx, Node.js and npm, which the tests of e2e/ need"
	look_for_servers
	if [ -n "$missing" ]; then
		before=$missing
		install_missing look_for_servers
		case $manager:" $before " in
		apt-get:*' nginx '*)
			say "note: your system may run nginx as a service now, which no test needs: systemctl disable --now nginx ends that"
			;;
		esac
	fi
	build_servers
	install_from_npm azurite Azurite
	install_from_npm imagekit "ImageKit's SDK"
}
