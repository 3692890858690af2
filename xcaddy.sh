#!/bin/sh
# Prepares this machine, builds Caddy with the image server in it, and runs or tests it. See ./xcaddy.sh help.
#
# Plain POSIX sh: it has to run where nothing is installed yet, busybox and macOS included.
set -eu
unset CDPATH
cd -- "$(dirname -- "$0")"

command=${1:-}

# A workspace file further up must not change what is built.
export GOWORK=off

help() {
	cat <<'EOF'
usage: ./xcaddy.sh COMMAND

  run      prepare, build, start Caddyfile.example on http://localhost:8080 and print URLs to open; Ctrl-C ends it
  test     prepare, build and run every test; for that, nginx, Node.js and npm are installed, too, and Versity S3 gateway,
           fake-gcs-server, Pebble and Azurite into .build/servers/
  fuzz     prepare and run every fuzz target, one after the other, for ten minutes in all, or for the time behind it, such as
           90s or 1h. What fails is kept in testdata/fuzz/ of its package. GOMAXPROCS=1 leaves the other processors alone
  build    prepare and leave the server as ./caddy (at once when nothing has changed)
  prepare  only install what is missing: libvips 8.14 or newer with its headers, pkg-config, a C compiler, fonts and CA
           certificates, by apt-get, dnf, apk, pacman or brew; and build xcaddy into .build/
  help     print this

Go is the one thing that is not installed: get it from https://go.dev/dl/. The lowest version stands in go.mod.

Environment:
  IMAGEORIGIN_PORT         port of the server that `run` starts (8080)
  IMAGEORIGIN_LEGACY_PORT  port of the small web site that it falls back to (8081)
  IMAGEORIGIN_ADMIN        address of Caddy's admin endpoint, or off (localhost:2019)
  IMAGEORIGIN_SYSROOT      folder to look for fonts and certificates in, instead of / (for the script's own tests)
  CC, PKG_CONFIG, PKG_CONFIG_PATH, CGO_CFLAGS, GOFLAGS, GOTOOLCHAIN and XCADDY_* are obeyed as Go and xcaddy do
EOF
}

say() {
	printf '==> %s\n' "$*"
}

# refuse WHAT WHY COMMAND ends the script: it never goes on half-prepared.
refuse() {
	printf '\nxcaddy.sh: %s\n  why:  %s\n  type: %s\n' "$1" "$2" "$3" >&2
	exit 1
}

# shellcheck source=tools/prepare.sh
. tools/prepare.sh
# shellcheck source=tools/servers.sh
. tools/servers.sh

# fingerprint prints a checksum of all that ./caddy is made of.
fingerprint() {
	# shellcheck disable=SC2016 # the dollars are Go's
	go list -deps -f '{{with .Module}}{{if .Main}}{{$dir := $.Dir -}}
		{{range $.GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end -}}
		{{range $.CgoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end -}}
		{{range $.CFiles}}{{$dir}}/{{.}}{{"\n"}}{{end -}}
		{{range $.HFiles}}{{$dir}}/{{.}}{{"\n"}}{{end -}}
		{{range $.EmbedFiles}}{{$dir}}/{{.}}{{"\n"}}{{end -}}
		{{end}}{{end}}' . >.build/files || return 1
	{
		go env GOVERSION GOOS GOARCH GOFLAGS CC CGO_CFLAGS CGO_LDFLAGS
		env | grep '^XCADDY_' | sort
		cksum go.mod go.sum tools/go.sum
		grep . .build/files | while IFS= read -r file; do cksum "$file"; done
	} | cksum
}

build() {
	version=$(go list -m -f '{{.Version}}' github.com/caddyserver/caddy/v2)
	module=$(go list -m)
	if [ -x caddy ]; then
		say "looking for changes since ./caddy was built"
	else
		say "fetching the Go modules that ./caddy needs"
	fi
	now=$(fingerprint) || refuse "cannot build ./caddy" "go cannot load the packages, as it says above" "go vet ./..."
	if [ -x caddy ] && [ -f .build/stamp ] && [ "$now" = "$(cat .build/stamp)" ]; then
		say "./caddy is up to date"
		return
	fi
	rm -f .build/stamp
	say "building ./caddy: Caddy $version with $module, by xcaddy (the first time takes minutes)"
	# A version is given although the folder replaces it: without one, go asks the network which there are.
	.build/xcaddy build "$version" --with "$module@v0.0.0=." --output ./caddy ||
		refuse "cannot build ./caddy" "xcaddy failed, as it says above" \
			"CGO_ENABLED=1 .build/xcaddy build $version --with $module@v0.0.0=. --output ./caddy"
	echo "$now" >.build/stamp
}

# require_free VARIABLE ADDRESS stops early if nothing can listen at the address that the variable holds in whole or part.
require_free() {
	reason=$(.build/port free "$2" 2>&1) && return
	port=${2##*:}
	case $port in
	*[!0-9]*) other=8090 ;;
	*) other=$((port + 10)) ;;
	esac
	host=${2%:*}
	refuse "port $port cannot be used" "${reason#"$2: "}" "$1=$host${host:+:}$other ./xcaddy.sh run"
}

# announce waits for the server in the background, while the script's process becomes it.
announce() {
	if ! .build/port wait $$ "http://localhost:$IMAGEORIGIN_PORT/" 60s 2>.build/port.log; then
		! kill -0 $$ 2>/dev/null || say "the server has not answered yet: $(cat .build/port.log)"
		return
	fi
	say "ready; open one of these, or end the server with Ctrl-C:"
	echo "$tries" | while read -r path what; do
		printf '    http://localhost:%s%s   %s\n' "$IMAGEORIGIN_PORT" "$path" "$what"
	done
}

run() {
	: "${IMAGEORIGIN_PORT:=8080}" "${IMAGEORIGIN_LEGACY_PORT:=8081}" "${IMAGEORIGIN_ADMIN:=localhost:2019}"
	export IMAGEORIGIN_PORT IMAGEORIGIN_LEGACY_PORT IMAGEORIGIN_ADMIN
	tries=$(sed -n 's/^[[:space:]]*# try:[[:space:]]*//p' Caddyfile.example)
	prepare
	require_free IMAGEORIGIN_PORT ":$IMAGEORIGIN_PORT"
	require_free IMAGEORIGIN_LEGACY_PORT ":$IMAGEORIGIN_LEGACY_PORT"
	case $IMAGEORIGIN_ADMIN in
	off | unix/*) ;;
	*) require_free IMAGEORIGIN_ADMIN "$IMAGEORIGIN_ADMIN" ;;
	esac
	build
	say "starting Caddyfile.example on http://localhost:$IMAGEORIGIN_PORT"
	# The server takes this process over, so signals and the exit status are its own. The inner & leaves no zombie to it.
	(announce &)
	exec ./caddy run --config Caddyfile.example --adapter caddyfile
}

# step NAME COMMAND... runs one kind of test; the others still run when it fails.
step() {
	name=$1
	shift
	say "$name"
	"$@" || failed="$failed${failed:+, }$name"
}

check_format() {
	unformatted=$("$(go env GOROOT)/bin/gofmt" -l .) || return 1
	[ -z "$unformatted" ] || {
		echo "not formatted (gofmt -w):" "$unformatted"
		return 1
	}
}

test_without_cgo() {
	packages=$(CGO_ENABLED=0 go list ./...) || return 1
	packages=$(echo "$packages" | grep -v -e '/transform/vipsexec$' -e '/internal/cmd/') || return 1
	# shellcheck disable=SC2086 # a list
	CGO_ENABLED=0 go test -timeout 30m $packages
}

run_tests() {
	prepare
	prepare_servers
	build
	failed=''
	step "gofmt" check_format
	step "go vet" go vet ./...
	step "go vet in tools/" go -C tools vet ./...
	step "go vet in e2e/" go -C e2e vet ./...
	step "go vet in bench/" go -C bench vet ./...
	step "go test in bench/" go -C bench test -count=1 ./internal/...
	step "go test -race" go test -race -timeout 30m ./...
	step "go test without cgo" test_without_cgo
	# What the race detector doesn't see, and what its own memory and time would hide.
	step "go test of decoders" go test -timeout 30m -run 'Bombs|Damaged|InWorkers|Runaways' ./transform/vipsexec
	IMAGEORIGIN_CADDY=$PWD/caddy
	export IMAGEORIGIN_CADDY
	step "go test in e2e/" go -C e2e test -count=1 -timeout 30m ./...
	if [ -n "$failed" ]; then
		say "FAILED: $failed"
		exit 1
	fi
	say "all tests passed"
}

# seconds 10m prints 600.
seconds() {
	number=${1%[smh]}
	case $number in
	'' | 0* | *[!0-9]* | ???????*) return 1 ;;
	esac
	case $1 in
	*m) number=$((number * 60)) ;;
	*h) number=$((number * 3600)) ;;
	esac
	echo "$number"
}

# fuzz_targets prints the fuzz targets of the module: package and name, one a line.
fuzz_targets() {
	# shellcheck disable=SC2016 # the dollars are Go's
	go list -f '{{$package := .ImportPath}}{{$dir := .Dir -}}
		{{range .TestGoFiles}}{{$package}} {{$dir}}/{{.}}{{"\n"}}{{end -}}
		{{range .XTestGoFiles}}{{$package}} {{$dir}}/{{.}}{{"\n"}}{{end -}}' ./... >.build/tests || return 1
	while read -r package file; do
		[ -z "$file" ] || sed -n "s|^func \\(Fuzz[A-Za-z0-9_]*\\)(.*|$package \\1|p" "$file"
	done <.build/tests
}

fuzz() {
	all=$(seconds "${1:-10m}") || refuse "'$1' is no time" "it takes a whole number of seconds, minutes or hours" "./xcaddy.sh fuzz 10m"
	prepare
	targets=$(fuzz_targets) || refuse "cannot list the fuzz targets" "go cannot load the packages, as it says above" "go vet ./..."
	count=$(echo "$targets" | grep -c .) || refuse "there are no fuzz targets" "no test has a function Fuzz..." "go test -list '^Fuzz' ./..."
	share=$((all / count))
	[ "$share" -gt 0 ] || share=1
	say "$count fuzz targets, $share s each"
	failed=''
	while read -r package target; do
		step "$target in $package" go test -run '^$' -fuzz "^$target\$" -fuzztime "${share}s" -fuzzminimizetime 1s "$package" </dev/null
	done <<EOT
$targets
EOT
	if [ -n "$failed" ]; then
		say "FAILED: $failed"
		exit 1
	fi
	say "no input failed"
}

case $command in
run) run ;;
test) run_tests ;;
fuzz) fuzz "${2:-}" ;;
build)
	prepare
	build
	;;
prepare) prepare ;;
help | -h | --help) help ;;
*)
	help >&2
	exit 2
	;;
esac
