package sandbox

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// newPlaces returns what children may read and execute. The first is the binary of this process.
//
// Nothing of /proc may ever be among them: a rule for /proc/self is one for the folder of this process, and children
// could read the server's environment.
func newPlaces() []place {
	places := []place{{"/proc/self/exe", toExecute}} // the file that runs, not its name
	for _, path := range []string{"/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/usr/local/lib", "/usr/local/lib64", "/etc/ld.so.cache"} {
		places = append(places, place{path, toExecute})
	}
	for _, path := range librariesOf("/proc/self/maps") {
		places = append(places, place{path, toExecute})
	}
	if home := os.Getenv("VIPSHOME"); filepath.IsAbs(home) {
		places = append(places, place{filepath.Join(home, "lib"), toExecute})
	}
	for _, path := range []string{
		"/etc/fonts", "/usr/share/fontconfig", "/var/cache/fontconfig", // fontconfig's own
		"/usr/share/fonts", "/usr/local/share/fonts",
		"/usr/share/poppler", // how PDFs in Chinese, Japanese and Korean encode text
		"/usr/share/mime",    // by which librsvg knows what is embedded
	} {
		places = append(places, place{path, toRead})
	}
	for _, path := range fontFolders() {
		places = append(places, place{path, toRead})
	}
	return append(places, place{os.DevNull, toUse})
}

// librariesOf returns where the libraries are that a process has mapped, for installations outside of the usual folders:
// folders that are there for libraries, and single files of others, where secrets could be as well.
func librariesOf(maps string) []string {
	file, err := os.Open(maps)
	if err != nil {
		return nil
	}
	defer file.Close()
	var found []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		at := strings.IndexByte(lines.Text(), '/')
		if at < 0 {
			continue
		}
		path := lines.Text()[at:]
		base := filepath.Base(path)
		if strings.HasSuffix(path, " (deleted)") || !strings.HasSuffix(base, ".so") && !strings.Contains(base, ".so.") {
			continue
		}
		if where := libraryPlace(path); !slices.Contains(found, where) {
			found = append(found, where)
		}
	}
	return found
}

// libraryPlace returns the folder with which the library at path, and those that it loads later, are reached.
func libraryPlace(path string) string {
	// These keep each package in a folder of its own, which others are loaded from as well. Everybody may read them.
	for _, store := range []string{"/nix/store/", "/gnu/store/"} {
		if strings.HasPrefix(path, store) {
			return filepath.Clean(store)
		}
	}
	if prefix, _, found := strings.Cut(path, "/Cellar/"); found { // Homebrew
		return prefix + "/Cellar"
	}
	for dir := filepath.Dir(path); dir != "/"; dir = filepath.Dir(dir) {
		if base := filepath.Base(dir); base == "lib" || base == "lib64" || base == "lib32" {
			return dir
		}
	}
	return path
}
