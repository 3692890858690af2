package caddymodule

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/dustin/go-humanize"
)

// option is a word in a block of the Caddyfile, and how what follows it is read into a T.
type option[T any] struct {
	usage string // the word and what follows it, as in the manual
	many  bool   // may stand more than once
	args  func(into T, args []string) error
	block func(into T, d *caddyfile.Dispenser) error // instead of args; reads arguments and a block
	check func(T) error                              // what is wrong with the value that was read; nil: nothing can be
}

func (o *option[T]) word() string {
	word, _, _ := strings.Cut(o.usage, " ")
	return word
}

// errCount is what readers of arguments return when there are too few or too many.
var errCount = errors.New("wrong number of arguments")

// readBlock reads the block that opens on d's line, if one does, and returns where each word stands. Words of later
// are known, but not supported yet.
func readBlock[T any](d *caddyfile.Dispenser, into T, options []option[T], later []string) (map[string]place, error) {
	set := map[string]place{}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		i := slices.IndexFunc(options, func(o option[T]) bool { return o.word() == d.Val() })
		if i < 0 {
			return nil, unknownWord(d, words(options), later)
		}
		if err := options[i].read(d, into, set); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// read reads one option whose word d stands on, and notes in set where it stands.
func (o *option[T]) read(d *caddyfile.Dispenser, into T, set map[string]place) error {
	word := o.word()
	if first, ok := set[word]; ok && !o.many {
		return d.Errf("%s is already set at %s", word, first)
	}
	at := here(d)
	set[word] = at
	err := o.readValue(d, into)
	if errors.Is(err, errCount) {
		// Told here, where the word is known; the blocks around this one have their own.
		return at.errf("%s; write %s", err, o.usage)
	}
	if err == nil && o.check != nil {
		if err = o.check(into); err != nil {
			return at.wrap(err)
		}
	}
	return err
}

func (o *option[T]) readValue(d *caddyfile.Dispenser, into T) error {
	if o.block != nil {
		return o.block(into, d)
	}
	at := here(d)
	if err := o.args(into, d.RemainingArgs()); err != nil {
		if errors.Is(err, errCount) {
			return err
		}
		return at.errf("%s: %w", o.word(), err)
	}
	if d.Next() {
		if next := d.Token(); next.Text == "{" && !next.Quoted() {
			return d.Errf("%s takes no block; write %s", o.word(), o.usage)
		}
		d.Prev()
	}
	return nil
}

// unknownWord returns the error of a word that is no option.
func unknownWord(d *caddyfile.Dispenser, valid, later []string) error {
	if slices.Contains(later, d.Val()) {
		return d.Errf("option %q is not supported in this version, which has %s", d.Val(), list(valid, "and"))
	}
	return d.Errf("unknown option %q; expected %s", d.Val(), list(valid, "or"))
}

func words[T any](options []option[T]) []string {
	var words []string
	for i := range options {
		words = append(words, options[i].word())
	}
	return words
}

// lift makes options of a part into options of the whole.
func lift[Whole, Part any](options []option[Part], part func(Whole) Part) []option[Whole] {
	lifted := make([]option[Whole], len(options))
	for i, o := range options {
		lifted[i] = option[Whole]{usage: o.usage, many: o.many}
		if o.args != nil {
			lifted[i].args = func(into Whole, args []string) error { return o.args(part(into), args) }
		}
		if o.block != nil {
			lifted[i].block = func(into Whole, d *caddyfile.Dispenser) error { return o.block(part(into), d) }
		}
		if o.check != nil {
			lifted[i].check = func(into Whole) error { return o.check(part(into)) }
		}
	}
	return lifted
}

// one reads a single text.
func one[T any](field func(T) *string) func(T, []string) error {
	return func(into T, args []string) error {
		if len(args) != 1 {
			return errCount
		}
		if args[0] == "" {
			return errors.New("the value is empty")
		}
		*field(into) = args[0]
		return nil
	}
}

// some reads one text or more.
func some[T any](field func(T) *[]string) func(T, []string) error {
	return func(into T, args []string) error {
		if len(args) == 0 {
			return errCount
		}
		*field(into) = args
		return nil
	}
}

// number reads a whole number above 0.
func number[T any, N int | int64](field func(T) *N) func(T, []string) error {
	return func(into T, args []string) error {
		if len(args) != 1 {
			return errCount
		}
		n, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil || n < 1 || int64(N(n)) != n {
			return fmt.Errorf("%q is not a whole number above 0", args[0])
		}
		*field(into) = N(n)
		return nil
	}
}

// size reads a number of bytes above 0, such as 500KB or 2GiB.
func size[T any](field func(T) *int64) func(T, []string) error {
	return func(into T, args []string) error {
		if len(args) != 1 {
			return errCount
		}
		n, err := humanize.ParseBytes(args[0])
		if err != nil || n < 1 || n > math.MaxInt64 {
			return fmt.Errorf("%q is not a size above 0; write it as 500KB or 2GiB", args[0])
		}
		*field(into) = int64(n)
		return nil
	}
}

// duration reads a time above 0, such as 30s or 1d.
func duration[T any](field func(T) *caddy.Duration) func(T, []string) error {
	return func(into T, args []string) error {
		if len(args) != 1 {
			return errCount
		}
		t, err := caddy.ParseDuration(args[0])
		if err != nil || t <= 0 {
			return fmt.Errorf("%q is not a time above 0; write it as 500ms, 30s, 5m or 1d", args[0])
		}
		*field(into) = caddy.Duration(t)
		return nil
	}
}

// place is where something stands in a Caddyfile.
type place struct{ token caddyfile.Token }

// here returns where d stands.
func here(d *caddyfile.Dispenser) place { return place{d.Token()} }

// String returns "Caddyfile:3".
func (p place) String() string { return fmt.Sprintf("%s:%d", p.token.File, p.token.Line) }

// errf returns an error that ends in the place.
func (p place) errf(format string, args ...any) error { return p.wrap(fmt.Errorf(format, args...)) }

// wrap adds the place to err, with the chain of imports that led there.
func (p place) wrap(err error) error {
	d := caddyfile.NewDispenser([]caddyfile.Token{p.token})
	d.Next()
	return d.WrapErr(err)
}

// warning returns a warning about the place.
func (p place) warning(message string) caddyconfig.Warning {
	return caddyconfig.Warning{File: p.token.File, Line: p.token.Line, Message: message}
}
