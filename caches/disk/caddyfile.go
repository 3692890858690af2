package disk

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	caddyblock "github.com/imageorigin/imageorigin/internal/block"
)

var options = caddyblock.Checked((*Module).check,
	caddyblock.Option[*Module]{Usage: "max_size <size>", Args: caddyblock.Size(func(m *Module) *int64 { return &m.MaxSize })},
	caddyblock.Option[*Module]{Usage: "max_entries <number>", Args: caddyblock.Number(func(m *Module) *int64 { return &m.MaxEntries })},
	caddyblock.Option[*Module]{Usage: "min_free <percent>", Args: readPercent},
)

// UnmarshalCaddyfile reads
//
//	disk [<folder>] {
//		max_size    <size>
//		max_entries <number>
//		min_free    <percent>
//	}
func (m *Module) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	at := caddyblock.Here(d)
	switch args := d.RemainingArgs(); {
	case len(args) > 1:
		return at.Errf("a folder is one argument, not %d; put a path with spaces in quotes", len(args))
	case len(args) == 1 && args[0] == "":
		return at.Errf("the folder is empty; name one, or leave it out for the one in Caddy's data directory")
	case len(args) == 1:
		m.Dir = args[0]
	}
	if err := m.check(); err != nil {
		return at.Wrap(err)
	}
	_, err := caddyblock.Read(d, m, options)
	return err
}

// readPercent reads a percentage above 0, with its sign or without.
func readPercent(m *Module, args []string) error {
	if len(args) != 1 {
		return caddyblock.ErrCount
	}
	n, err := strconv.ParseFloat(strings.TrimSuffix(args[0], "%"), 64)
	if err != nil || !(n > 0 && n < 100) {
		return fmt.Errorf("%q is not a percentage above 0 and below 100; write it as 5 or 0.5", args[0])
	}
	m.MinFree = n
	return nil
}
