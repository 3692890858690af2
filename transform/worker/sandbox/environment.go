package sandbox

import (
	"slices"
	"strings"
)

// inherited are the variables that a child gets from its parent, as they are. They say where fonts, languages and
// libraries are. Everything else, credentials first of all, stays behind.
var inherited = []string{
	"FONTCONFIG_FILE", "FONTCONFIG_PATH", "FONTCONFIG_SYSROOT",
	"LANG", "LANGUAGE", // and LC_*
	"LD_LIBRARY_PATH", // without it the binary may not find its libvips
	"VIPSHOME",        // where libvips looks for its modules
}

// given are the variables that each child has, whatever the parent's are.
var given = []string{
	// Package initialisation looks for a home and complains where there is none. It is never used.
	"HOME=/nonexistent",
	"XDG_CACHE_HOME=/nonexistent",
	"XDG_CONFIG_HOME=/nonexistent",
	"XDG_DATA_HOME=/nonexistent",

	// glibc gives each thread a heap of its own, and libvips has many: 132 MiB instead of 160 for the server and two
	// children under load. Collecting Go's little garbage more often saves another 3 to 8.
	"MALLOC_ARENA_MAX=1",
	"GOGC=50",
	"GOMEMLIMIT=64MiB",

	// libvips unpacks what it takes to be larger than 100 MB into a file in /tmp, which a child can't make. The
	// memory is bounded otherwise.
	"VIPS_DISC_THRESHOLD=1024g",
}

// Environment returns the environment of a child whose parent has the given one, in the form of [os.Environ]: fixed
// settings for memory, a home that doesn't exist, and of the parent's variables those about fonts, languages and where
// libraries are.
func Environment(parent []string) []string {
	env := slices.Clone(given)
	for _, variable := range parent {
		name, value, found := strings.Cut(variable, "=")
		if found && value != "" && (slices.Contains(inherited, name) || strings.HasPrefix(name, "LC_")) {
			env = append(env, variable)
		}
	}
	return env
}
