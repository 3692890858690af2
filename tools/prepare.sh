# shellcheck shell=sh disable=SC2154 # $command is set by the script that reads this in
#
# The part of xcaddy.sh that prepares the machine; xcaddy.sh reads it in and provides say, refuse and $command.
#
# What is missing is found by trying it out, never by asking for a package's name, so that a libvips built by hand is as
# good as a packaged one. Names of packages matter only when something has to be installed.

min_vips=8.14
managers='apt-get dnf apk pacman brew'
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
sysroot=${IMAGEORIGIN_SYSROOT:-}

# ---- Go

# number 1.26.8 prints 1026008, number 1.27rc1 prints 1027000: sort -V is not everywhere.
number() (
	IFS=.
	# shellcheck disable=SC2086 # splitting at the dots is the point
	set -- $1
	one=${1%%[!0-9]*} two=${2:-0} three=${3:-0}
	two=${two%%[!0-9]*} three=${three%%[!0-9]*}
	echo $((${one:-0} * 1000000 + ${two:-0} * 1000 + ${three:-0}))
)

older() {
	[ "$(number "$1")" -lt "$(number "$2")" ]
}

# go_remedy VERSION prints how a person gets Go.
go_remedy() {
	if [ "$(uname -s)" = Darwin ] && command -v brew >/dev/null; then
		echo "brew install go || brew upgrade go"
		return
	fi
	case $(uname -m) in
	aarch64 | arm64) arch=arm64 ;;
	*) arch=amd64 ;;
	esac
	file=go$1.$(uname -s | tr '[:upper:]' '[:lower:]')-$arch.tar.gz
	echo "curl -LO https://go.dev/dl/$file && sudo rm -rf /usr/local/go &&" \
		"sudo tar -C /usr/local -xzf $file && export PATH=/usr/local/go/bin:\$PATH"
}

# go_version prints the version of the go command that runs in this folder: go.mod and GOTOOLCHAIN can switch it.
go_version() {
	text=$(go version) || return 1
	text=${text#go version }
	text=${text#devel }
	text=${text#go}
	echo "${text%% *}"
}

check_go() {
	want=$(sed -n 's/^go \([0-9.]*\).*/\1/p' go.mod)
	if ! command -v go >/dev/null; then
		refuse "Go is missing; $want or newer is needed" \
			"there is no go command on PATH, and this script does not install Go" "$(go_remedy "$want")"
	fi
	have=$(cd / && go_version)
	if ! older "$have" "$want"; then
		return
	fi
	# Since 1.21 the go command fetches a newer one by itself when go.mod asks for it, unless that is forbidden.
	if older "$have" 1.21; then
		refuse "Go $have is too old; $want or newer is needed" \
			"go.mod asks for it, and this script does not install Go" "$(go_remedy "$want")"
	fi
	if [ "$(cd / && go env GOTOOLCHAIN)" = local ]; then
		refuse "Go $have is too old; $want or newer is needed" \
			"go.mod asks for it, and GOTOOLCHAIN=local forbids go to fetch a newer one by itself" \
			"GOTOOLCHAIN=auto ./xcaddy.sh $command"
	fi
	say "Go $have is older than $want: letting it fetch the newer toolchain by itself"
	if ! have=$(go_version) || older "$have" "$want"; then
		refuse "Go is too old; $want or newer is needed" \
			"go could not fetch the newer toolchain by itself (GOTOOLCHAIN=$(cd / && go env GOTOOLCHAIN))" \
			"$(go_remedy "$want")"
	fi
}

# ---- what is missing

compiles() {
	printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' >.build/try.c
	# shellcheck disable=SC2086 # CC may hold flags, as for Go
	$cc -o .build/try .build/try.c >/dev/null 2>&1
}

# probe sets $lacking to the picture formats that this libvips cannot handle.
probe() {
	flags=$($PKG_CONFIG --cflags --libs vips 2>.build/probe.log) || return 1
	# shellcheck disable=SC2086 # these are lists of flags
	$cc -o .build/vipsprobe tools/vipsprobe/vipsprobe.c $flags 2>>.build/probe.log || return 1
	lacking=$(.build/vipsprobe 2>>.build/probe.log) || return 1
	lacking=$(echo "$lacking" | tr '\n' ' ')
	lacking=${lacking% }
}

has_fonts() {
	# macOS always has some.
	[ "$(uname -s)" != Darwin ] || return 0
	if command -v fc-list >/dev/null && [ -n "$(fc-list 2>/dev/null | head -n 1)" ]; then
		return 0
	fi
	[ -n "$(find "$sysroot/usr/share/fonts" "$sysroot/usr/local/share/fonts" \
		"${HOME:-/nowhere}/.fonts" "${HOME:-/nowhere}/.local/share/fonts" \
		\( -name '*.ttf' -o -name '*.ttc' -o -name '*.otf' -o -name '*.pfb' \) -print 2>/dev/null | head -n 1)" ]
}

# has_certificates looks where Go does; without them nothing can be downloaded and no web origin reached by https.
has_certificates() {
	[ "$(uname -s)" != Darwin ] || return 0
	for file in "${SSL_CERT_FILE:-}" "$sysroot/etc/ssl/certs/ca-certificates.crt" \
		"$sysroot/etc/pki/tls/certs/ca-bundle.crt" "$sysroot/etc/ssl/ca-bundle.pem" \
		"$sysroot/etc/pki/tls/cacert.pem" "$sysroot/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem" \
		"$sysroot/etc/ssl/cert.pem"; do
		[ ! -s "$file" ] || return 0
	done
	return 1
}

# look sets $missing to the needs that are not met.
look() {
	missing='' lacking=''
	if ! $PKG_CONFIG --version >/dev/null 2>&1; then
		missing='vips pkgconfig' # nobody can tell then whether libvips is there
	elif ! $PKG_CONFIG --exists "vips >= $min_vips"; then
		missing=vips
	fi
	if ! compiles; then
		missing="$missing cc"
	fi
	if [ -z "$missing" ] && ! probe; then
		missing=vips
	fi
	has_fonts || missing="$missing fonts"
	has_certificates || missing="$missing certificates"
	missing=${missing# }
}

# describe NEED... says in words what is missing.
describe() {
	list=''
	for need; do
		case $need in
		vips) need="libvips $min_vips or newer with its headers" ;;
		pkgconfig) need=pkg-config ;;
		cc) need='a C compiler' ;;
		certificates) need='CA certificates' ;;
		node) need=Node.js ;;
		esac
		list="$list${list:+, }$need"
	done
	echo "$list"
}

# ---- package managers

choose_manager() {
	manager='' root='' sudo=''
	if [ "$(uname -s)" = Darwin ]; then
		managers=brew
	fi
	for candidate in $managers; do
		if command -v "$candidate" >/dev/null; then
			manager=$candidate
			break
		fi
	done
}

# packages NEED... prints what the package manager calls them. The last needs are picture formats whose codec is in a
# package of its own; where it comes with libvips there is nothing to print.
packages() {
	names=''
	for need; do
		case $manager:$need in
		apt-get:vips) name=libvips-dev ;;
		apt-get:pkgconfig) name=pkg-config ;;
		apt-get:cc) name='gcc libc6-dev' ;;
		apt-get:fonts) name=fonts-dejavu-core ;;
		apt-get:avif) name='libheif-plugin-aomenc libheif-plugin-dav1d' ;;
		apt-get:heic) name=libheif-plugin-libde265 ;;
		dnf:vips) name=vips-devel ;;
		dnf:pkgconfig) name=pkgconf-pkg-config ;;
		dnf:cc) name='gcc glibc-devel' ;;
		dnf:fonts) name=dejavu-sans-fonts ;;
		apk:vips) name=vips-dev ;;
		apk:pkgconfig | pacman:pkgconfig | brew:pkgconfig) name=pkgconf ;;
		apk:cc) name='gcc musl-dev' ;;
		apk:fonts) name=font-dejavu ;;
		dnf:avif | dnf:heic | apk:avif | apk:heic) name=vips-heif ;;
		dnf:jxl | apk:jxl) name=vips-jxl ;;
		pacman:vips) name=libvips ;;
		pacman:cc) name=gcc ;;
		pacman:fonts) name=ttf-dejavu ;;
		brew:fonts) name=font-dejavu ;;
		pacman:avif | pacman:heic) name=libheif ;;
		pacman:jxl) name=libjxl ;;
		brew:vips) name=vips ;;
		*:certificates) name=ca-certificates ;;
		apt-get:nginx) name=nginx-light ;;
		*:nginx) name=nginx ;;
		brew:node | brew:npm) name=node ;;
		*:node) name=nodejs ;;
		*:npm) name=npm ;;
		*) continue ;;
		esac
		case " $names " in
		*" $name "*) ;;
		*) names="$names${names:+ }$name" ;;
		esac
	done
	echo "$names"
}

# by_hand PACKAGES prints the command that a person would type.
by_hand() {
	case $manager in
	apt-get) line="apt-get update && ${root}apt-get install --no-install-recommends $1" ;;
	dnf) line="dnf install $1" ;;
	apk) line="apk add $1" ;;
	pacman) line="pacman -Syu --needed $1" ;;
	brew) line="brew install $1" ;;
	esac
	echo "$root$line"
}

# install_packages PACKAGES installs them and tells whether that worked.
install_packages() {
	# shellcheck disable=SC2086 # a list of names
	case $manager in
	apt-get)
		say "apt-get: refreshing the package lists"
		# One broken source among many is no reason to stop: whether the packages come decides.
		$sudo apt-get update || say "apt-get update failed: trying with the lists that are here"
		say "apt-get: installing $1"
		$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $1
		;;
	dnf)
		say "dnf: installing $1"
		$sudo dnf install -y $1
		;;
	apk)
		say "apk: installing $1"
		$sudo apk add --no-cache $1
		;;
	pacman)
		# Refreshing the lists without upgrading all can break a system, so that is done only where there are none yet.
		refresh=y
		for database in "$sysroot"/var/lib/pacman/sync/*.db; do
			[ ! -e "$database" ] || refresh=''
		done
		say "pacman: installing $1"
		$sudo pacman -S$refresh --needed --noconfirm $1
		;;
	brew)
		say "brew: installing $1"
		brew install $1
		;;
	esac
}

# become_root decides how the package manager gets the rights it needs; brew wants none. It fails where there is no way.
become_root() {
	root='' sudo=''
	if [ "$manager" = brew ] || [ "$(id -u)" -eq 0 ]; then
		return 0
	fi
	root='sudo '
	command -v sudo >/dev/null || return 1
	sudo=sudo
	say "not root: $manager is run by sudo, which may ask for your password"
}

vips_from_source="in an unpacked release from https://github.com/libvips/libvips/releases: \
meson setup build && meson compile -C build && sudo meson install -C build && sudo ldconfig"

# install_missing LOOK installs what LOOK has found missing, and lets it look again.
install_missing() {
	look=$1
	# shellcheck disable=SC2086 # a list of words
	wanted=$(describe $missing)
	say "missing: $wanted"
	choose_manager
	if [ -z "$manager" ]; then
		case $(uname -s) in
		Darwin) refuse "cannot install $wanted" "brew is missing" \
			"the command on https://brew.sh, then ./xcaddy.sh $command" ;;
		esac
		remedy="the install command of your system for these"
		case " $missing " in
		*' vips '*) remedy="$remedy; libvips, $vips_from_source" ;;
		esac
		refuse "cannot install $wanted" "none of apt-get, dnf, apk, pacman and brew is here" "$remedy"
	fi
	# shellcheck disable=SC2086 # a list of words
	names=$(packages $missing)
	case $manager:$(uname -s):" $missing " in
	brew:Darwin:*' cc '*)
		refuse "cannot install a C compiler" "it comes with Apple's command line tools" "xcode-select --install"
		;;
	brew:*' cc '*)
		refuse "cannot install a C compiler" "Go would not find the one of brew by itself" \
			"brew install gcc && CC=\$(ls \$(brew --prefix)/bin/gcc-[0-9]* | tail -n 1) ./xcaddy.sh $command"
		;;
	esac
	if ! become_root; then
		root=''
		refuse "cannot install $wanted" "$manager needs root, and there is no sudo here" "su -c '$(by_hand "$names")'"
	fi
	install_packages "$names" ||
		refuse "cannot install $wanted" "$manager failed, as it says above" "$(by_hand "$names")"
	"$look"
	[ -n "$missing" ] || return 0

	# shellcheck disable=SC2086 # a list of words
	wanted=$(describe $missing)
	if [ "$missing" = vips ]; then
		version=$($PKG_CONFIG --modversion vips 2>/dev/null) || version=''
		if [ -n "$version" ] && ! $PKG_CONFIG --exists "vips >= $min_vips"; then
			refuse "libvips $version is too old; $min_vips or newer is needed" "$manager has nothing newer" "$vips_from_source"
		fi
	fi
	[ ! -s .build/probe.log ] || cat .build/probe.log >&2
	refuse "still missing: $wanted" "$manager said that it had installed $names" "$(by_hand "$names")"
}

# check_formats deals with codecs that are packages of their own. Without AVIF and its elders this is not the server
# that the documentation describes; HEIC and JPEG XL can't be had everywhere, so these are tried for and then only told.
check_formats() {
	fresh=$1
	needed=$(needed_formats)
	if [ -n "$needed" ] || { [ "$fresh" = yes ] && [ -n "$lacking" ]; }; then
		choose_manager
		# shellcheck disable=SC2086 # a list of words
		names=$(packages $lacking)
		if [ -n "$names" ] && become_root; then
			say "libvips came without a codec for $lacking"
			install_packages "$names" || say "$manager failed, as it says above"
			look
			[ -z "$missing" ] || refuse "cannot use libvips any more" "$manager broke it" "$(by_hand "$names")"
		fi
		needed=$(needed_formats)
	fi
	if [ -n "$needed" ]; then
		remedy="$vips_from_source"
		[ -z "$names" ] || remedy=$(by_hand "$names")
		refuse "libvips $($PKG_CONFIG --modversion vips) cannot read and write $needed" \
			"a picture of that format failed the test in tools/vipsprobe" "$remedy"
	fi
	[ -z "$lacking" ] || say "note: this libvips has no codec for $lacking; all else works"
}

needed_formats() {
	list=''
	for format in $lacking; do
		case $format in
		heic | jxl) ;;
		*) list="$list${list:+ }$format" ;;
		esac
	done
	echo "$list"
}


prepare() {
	check_go
	mkdir -p .build
	cc=${CC:-$(go env CC)}
	say "looking for libvips, pkg-config, a C compiler, fonts and certificates"
	fresh=no
	look
	if [ -n "$missing" ]; then
		install_missing look
		fresh=yes
	fi
	check_formats $fresh
	say "building xcaddy, as tools/go.mod pins it"
	CGO_ENABLED=0 go -C tools build -o ../.build/ github.com/caddyserver/xcaddy/cmd/xcaddy ./port ||
		refuse "cannot build xcaddy" "go failed, as it says above" \
			"cd tools && go build github.com/caddyserver/xcaddy/cmd/xcaddy"

	# Go's build cache does not notice that libvips was replaced and would link the old one: its version has to be in
	# the flags, which are part of the cache's key. Setting them takes Go's own default away, so that is repeated.
	define=-DIMAGEORIGIN_VIPS=$($PKG_CONFIG --modversion vips)
	case " ${CGO_CFLAGS:=-O2 -g} " in
	*" $define "*) ;; # run by a test that this script runs
	*) CGO_CFLAGS="$CGO_CFLAGS $define" ;;
	esac
	export CGO_CFLAGS CGO_ENABLED=1
}
