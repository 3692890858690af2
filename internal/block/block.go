// Package block reads blocks of a Caddyfile by tables: each option is a row that says how it is written and where its
// value goes, so that repeated, unknown and half-written options are told in the same words everywhere, with their line.
package block

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// Option is a word in a block of the Caddyfile, and how what follows it is read into a T.
type Option[T any] struct {
	Usage string // the word and what follows it, as in the manual
	Many  bool   // may stand more than once
	Each  bool   // may stand more than once, each time with another first argument
	Args  func(into T, args []string) error
	Block func(into T, d *caddyfile.Dispenser) error // instead of Args; reads arguments and a block
	Check func(T) error                              // what is wrong with the value that was read; nil: nothing can be

	// Elsewhere says where a word belongs that is often written here: "belongs to the type s3_compatible". The word is
	// refused with that, and not listed.
	Elsewhere string
}

// Word is the word that the option begins with.
func (o *Option[T]) Word() string {
	word, _, _ := strings.Cut(o.Usage, " ")
	return word
}

// ErrCount is what readers of arguments return when there are too few or too many.
var ErrCount = errors.New("wrong number of arguments")

// Read reads the block that opens on d's line, if one does, and returns where each word stands; of options with Each
// where it stands first, and where each of its first arguments does: "transform thumb". Words of later are known, but not
// supported yet.
func Read[T any](d *caddyfile.Dispenser, into T, options []Option[T], later ...string) (map[string]Place, error) {
	set := map[string]Place{}
	return set, ReadMore(d, into, options, set, later...)
}

// ReadMore does as [Read], where the options in set are set already, by arguments.
func ReadMore[T any](d *caddyfile.Dispenser, into T, options []Option[T], set map[string]Place, later ...string) error {
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		i := slices.IndexFunc(options, func(o Option[T]) bool { return o.Word() == d.Val() })
		if i < 0 {
			return unknownWord(d, Words(options), later)
		}
		if elsewhere := options[i].Elsewhere; elsewhere != "" {
			return d.Errf("option %s %s", d.Val(), elsewhere)
		}
		if err := options[i].Read(d, into, set); err != nil {
			return err
		}
	}
	return nil
}

// Checked returns options, each of which is followed by check: what was right until there was made wrong by it.
func Checked[T any](check func(T) error, options ...Option[T]) []Option[T] {
	for i := range options {
		options[i].Check = check
	}
	return options
}

// Read reads one option whose word d stands on, and notes in set where it stands.
func (o *Option[T]) Read(d *caddyfile.Dispenser, into T, set map[string]Place) error {
	word := o.Word()
	key := o.key(d)
	first, again := set[key]
	if again && !o.Many && (!o.Each || key != word) {
		return d.Errf("%s is already set at %s", key, first)
	}
	at := Here(d)
	set[key] = at
	if _, again := set[word]; !again {
		set[word] = at
	}
	err := o.readValue(d, into)
	if errors.Is(err, ErrCount) {
		// Told here, where the word is known; the blocks around this one have their own.
		return at.Errf("%s; write %s", err, o.Usage)
	}
	if err == nil && o.Check != nil {
		if err = o.Check(into); err != nil {
			return at.Wrap(err)
		}
	}
	return err
}

// key returns what may stand only once: the word on which d stands, for options with Each with its first argument.
func (o *Option[T]) key(d *caddyfile.Dispenser) string {
	if !o.Each || !d.NextArg() {
		return o.Word()
	}
	key := o.Word() + " " + d.Val()
	d.Prev()
	return key
}

func (o *Option[T]) readValue(d *caddyfile.Dispenser, into T) error {
	if o.Block != nil {
		return o.Block(into, d)
	}
	at := Here(d)
	if err := o.Args(into, d.RemainingArgs()); err != nil {
		if errors.Is(err, ErrCount) {
			return err
		}
		return at.Errf("%s: %w", o.Word(), err)
	}
	if d.Next() {
		if next := d.Token(); next.Text == "{" && !next.Quoted() {
			return d.Errf("%s takes no block; write %s", o.Word(), o.Usage)
		}
		d.Prev()
	}
	return nil
}

// unknownWord returns the error of a word that is no option.
func unknownWord(d *caddyfile.Dispenser, valid, later []string) error {
	if slices.Contains(later, d.Val()) {
		return d.Errf("option %q is not supported in this version, which has %s", d.Val(), List(valid, "and"))
	}
	return Here(d).Wrap(&UnknownError{Here(d), valid})
}

// UnknownError is the cause of the error of a word that is no option.
type UnknownError struct {
	At    Place
	Valid []string // what could stand there
}

// Error lists what could stand there.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("unknown option %q; expected %s", e.At.Text(), List(e.Valid, "or"))
}

// Words returns the words of options, in their order.
func Words[T any](options []Option[T]) []string {
	var words []string
	for i := range options {
		if options[i].Elsewhere == "" {
			words = append(words, options[i].Word())
		}
	}
	return words
}

// Lift makes options of a part into options of the whole.
func Lift[Whole, Part any](options []Option[Part], part func(Whole) Part) []Option[Whole] {
	lifted := make([]Option[Whole], len(options))
	for i, o := range options {
		lifted[i] = Option[Whole]{Usage: o.Usage, Many: o.Many, Each: o.Each, Elsewhere: o.Elsewhere}
		if o.Args != nil {
			lifted[i].Args = func(into Whole, args []string) error { return o.Args(part(into), args) }
		}
		if o.Block != nil {
			lifted[i].Block = func(into Whole, d *caddyfile.Dispenser) error { return o.Block(part(into), d) }
		}
		if o.Check != nil {
			lifted[i].Check = func(into Whole) error { return o.Check(part(into)) }
		}
	}
	return lifted
}

// Place is where something stands in a Caddyfile.
type Place struct{ token caddyfile.Token }

// Here returns where d stands.
func Here(d *caddyfile.Dispenser) Place { return Place{d.Token()} }

// PlaceOf returns where token stands.
func PlaceOf(token caddyfile.Token) Place { return Place{token} }

// String returns "Caddyfile:3".
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.token.File, p.token.Line) }

// Text returns the word that stands there.
func (p Place) Text() string { return p.token.Text }

// Line returns the number of the line.
func (p Place) Line() int { return p.token.Line }

// Errf returns an error that ends in the place.
func (p Place) Errf(format string, args ...any) error { return p.Wrap(fmt.Errorf(format, args...)) }

// Wrap adds the place to err, with the chain of imports that led there.
func (p Place) Wrap(err error) error {
	d := caddyfile.NewDispenser([]caddyfile.Token{p.token})
	d.Next()
	return d.WrapErr(err)
}

// Warning returns a warning about the place.
func (p Place) Warning(message string) caddyconfig.Warning {
	return caddyconfig.Warning{File: p.token.File, Line: p.token.Line, Message: message}
}

// List joins words into a phrase: "a, b or c".
func List(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}
