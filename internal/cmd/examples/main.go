// Command examples paints the pictures of the example library and of the example "old website", from nothing but
// arithmetic, and writes them as files of every kind that the server knows. Run it from the root of the repository:
//
//	go run ./internal/cmd/examples
//
// Nothing is random, so every run paints the same pictures; another processor may round, and another libvips compress,
// a little differently, so the files need not be the same byte for byte.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	out := flag.String("out", "examples", "folder to write to")
	only := flag.String("only", "", "write only files whose path contains this")
	flag.Parse()
	if err := run(*out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "examples:", err)
		os.Exit(1)
	}
}

func run(out, only string) error {
	if codec == nil {
		return errors.New("encoding needs libvips: install it and build with CGO_ENABLED=1")
	}
	if err := codec.start(); err != nil {
		return fmt.Errorf("starting libvips: %w", err)
	}
	defer codec.stop()
	for _, w := range works {
		if !strings.Contains(w.path, only) {
			continue
		}
		data, err := w.make()
		if err != nil {
			return fmt.Errorf("encoding %s: %w", w.path, err)
		}
		file := filepath.Join(out, filepath.FromSlash(w.path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
		fmt.Printf("%8d bytes  %s\n", len(data), file)
	}
	return nil
}
