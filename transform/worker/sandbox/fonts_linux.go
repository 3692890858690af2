package sandbox

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// How much of fontconfig's configuration is read.
const (
	maxFontFiles = 500
	maxFontBytes = 1 << 20
)

// fontFolders returns the folders that fontconfig's configuration names, in /etc/fonts or where FONTCONFIG_FILE and
// FONTCONFIG_PATH say, and those files themselves. A child that couldn't read them would leave text out, without an error.
// Folders in a home are not among them: a child has none.
func fontFolders() []string {
	var found []string
	for _, variable := range []string{"FONTCONFIG_FILE", "FONTCONFIG_PATH"} {
		if path := os.Getenv(variable); safeFolder(path) {
			found = append(found, path)
		}
	}
	start := "/etc/fonts/fonts.conf"
	if path := os.Getenv("FONTCONFIG_PATH"); filepath.IsAbs(path) {
		start = filepath.Join(path, "fonts.conf")
	}
	if path := os.Getenv("FONTCONFIG_FILE"); filepath.IsAbs(path) {
		start = path
	}
	seen := map[string]bool{}
	for files := []string{start}; len(files) > 0 && len(seen) < maxFontFiles; files = files[1:] {
		file := files[0]
		if seen[file] {
			continue
		}
		seen[file] = true
		dirs, includes := readFontConfig(file)
		found = append(found, dirs...)
		for _, include := range includes {
			found = append(found, include)
			if inside, err := filepath.Glob(filepath.Join(include, "*.conf")); err == nil && len(inside) > 0 {
				files = append(files, inside...)
			} else {
				files = append(files, include)
			}
		}
	}
	return found
}

// readFontConfig returns the folders that a file of fontconfig names for fonts and for its cache, and the files and folders
// that it includes. What can't be read names none.
func readFontConfig(path string) (dirs, includes []string) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil
	}
	defer file.Close()
	decoder := xml.NewDecoder(io.LimitReader(file, maxFontBytes))
	decoder.Strict = false
	for {
		token, err := decoder.Token()
		if err != nil {
			return dirs, includes
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		name := element.Name.Local
		if name != "dir" && name != "cachedir" && name != "include" {
			continue
		}
		var text string
		if decoder.DecodeElement(&text, &element) != nil {
			return dirs, includes
		}
		text = strings.TrimSpace(text)
		if name == "include" && text != "" && !filepath.IsAbs(text) && !strings.HasPrefix(text, "~") {
			text = filepath.Join(filepath.Dir(path), text)
		}
		switch {
		case len(element.Attr) > 0 && prefixed(element.Attr), !safeFolder(text):
		case name == "include":
			includes = append(includes, text)
		default:
			dirs = append(dirs, text)
		}
	}
}

// prefixed reports whether a path is meant below a home or a working directory.
func prefixed(attrs []xml.Attr) bool {
	for _, attr := range attrs {
		if attr.Name.Local == "prefix" && attr.Value != "default" {
			return true
		}
	}
	return false
}

// safeFolder reports whether path can be opened to a child: not everything, and nothing that the kernel makes.
func safeFolder(path string) bool {
	clean := filepath.Clean(path)
	if real, err := filepath.EvalSymlinks(clean); err == nil {
		clean = real
	}
	if !filepath.IsAbs(clean) || clean == "/" || clean == "/etc" || clean == "/root" || clean == "/home" {
		return false
	}
	for _, kernel := range []string{"/proc", "/sys", "/dev", "/run"} {
		if clean == kernel || strings.HasPrefix(clean, kernel+"/") {
			return false
		}
	}
	return true
}
