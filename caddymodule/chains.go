package caddymodule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/internal/imageurl"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// chains are the transformations that an endpoint itself holds, ready for use.
type chains struct {
	named  map[string]syntax.Chain
	always syntax.Chain
}

// maxTransforms is how many named transformations an endpoint may have, as at ImageKit.
const maxTransforms = 250

var errTransforms = fmt.Errorf("an endpoint has at most %d named transformations; move some to another endpoint", maxTransforms)

// The words of unnamed.
const unnamedDeny = "deny"

var unnamedWords = []string{"allow", unnamedDeny}

// What endpoints don't allow.
var (
	errUnnamed   = errors.New("this endpoint allows named transformations only: each step must be n-<name> alone")
	errUntouched = errors.New("this endpoint applies a transformation to every picture, so none is sent as it is: leave out orig-true")
)

// chainError is the error of a chain in the config.
type chainError struct {
	option string // transform or always
	name   string // of a transform
	err    error
}

// Error names the chain.
func (e *chainError) Error() string {
	if e.name == "" {
		return fmt.Sprintf("%s: %v", e.option, e.err)
	}
	return fmt.Sprintf("%s %q: %v", e.option, e.name, e.err)
}

// place returns where the chain stands in the Caddyfile.
func (e *chainError) place(set map[string]block.Place) block.Place {
	if at, ok := set[e.option+" "+e.name]; ok {
		return at
	}
	return set[e.option]
}

// checkChains judges the chains in a block of the Caddyfile once it is read: they may stand in any order. Set tells
// where each word stands.
func checkChains(e *Endpoint, set map[string]block.Place) error {
	_, err := e.compile()
	if wrong, ok := errors.AsType[*chainError](err); ok {
		return wrong.place(set).Wrap(wrong)
	}
	return err
}

// compile makes the endpoint's chains ready. Errors are *chainError.
func (e *Endpoint) compile() (chains, error) {
	named, err := e.compileNamed()
	if err != nil {
		return chains{}, err
	}
	c := chains{named: named}
	if e.Always == "" {
		return c, nil
	}
	if c.always, err = e.compileAlways(named); err != nil {
		return chains{}, &chainError{option: "always", err: located(err, e.Always)}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if asksForOriginal(named[name]) {
			return chains{}, &chainError{"transform", name, errors.New("orig-true has no place beside always, which is applied to every picture; leave one of them out")}
		}
	}
	return c, nil
}

// compileNamed returns the named transformations.
func (e *Endpoint) compileNamed() (map[string]syntax.Chain, error) {
	if len(e.Transforms) == 0 {
		return nil, nil
	}
	if len(e.Transforms) > maxTransforms {
		return nil, &chainError{option: "transform", err: errTransforms}
	}
	names := slices.Sorted(maps.Keys(e.Transforms))
	named := make(map[string]syntax.Chain, len(names))
	fail := func(name string, err error) error {
		return &chainError{"transform", name, located(err, e.Transforms[name])}
	}
	for _, name := range names {
		if !syntax.IsName(name) {
			return nil, &chainError{"transform", name, errors.New("a name is made of letters, digits and underscores; choose another")}
		}
		var err error
		if named[name], err = parseStored(e.Transforms[name]); err != nil {
			return nil, fail(name, err)
		}
	}
	named, err := syntax.ExpandAll(named)
	if wrong, ok := errors.AsType[*syntax.NamedError](err); ok {
		return nil, fail(wrong.Name, wrong.Err)
	}
	for _, name := range names {
		if err := plan.Check(named[name]); err != nil {
			return nil, fail(name, err)
		}
		if e.Sizes != nil {
			named[name] = named[name].WithOwnSizes()
		}
	}
	return named, nil
}

// compileAlways returns what is applied to every picture.
func (e *Endpoint) compileAlways(named map[string]syntax.Chain) (syntax.Chain, error) {
	c, err := parseStored(e.Always)
	if err != nil {
		return nil, err
	}
	if c, err = syntax.Expand(c, named); err != nil {
		return nil, err
	}
	if err := plan.Check(c); err != nil {
		return nil, err
	}
	if _, asked := plan.PageOf(c); asked {
		return nil, errors.New("pg is for URLs that end with /ik-thumbnail.jpg; leave it out")
	}
	if asksForOriginal(c) {
		return nil, errors.New("orig-true sends pictures as they are; leave it out, or leave out always")
	}
	if e.Sizes != nil {
		c = c.WithOwnSizes()
	}
	return c.At(-1), nil
}

// storedPrefix may stand before a transformation in the config, as it does in URLs.
const storedPrefix = "tr:"

// parseStored reads a transformation of the config.
func parseStored(text string) (syntax.Chain, error) {
	return syntax.Parse(strings.TrimPrefix(text, storedPrefix))
}

// located lets the column of an error count in the text of the config.
func located(err error, text string) error {
	wrong, ok := errors.AsType[*syntax.Error](err)
	if !ok || !strings.HasPrefix(text, storedPrefix) {
		return err
	}
	moved := *wrong
	moved.Pos += len(storedPrefix)
	return &moved
}

// asksForOriginal reports whether orig-true stands in some step of c, be it in a branch.
func asksForOriginal(c syntax.Chain) bool {
	return slices.ContainsFunc(c, func(s syntax.Step) bool {
		wanted, _ := syntax.Get[syntax.Bool](s, "orig")
		return bool(wanted) || s.If != nil && (asksForOriginal(s.If.Then) || asksForOriginal(s.If.Else))
	})
}

// admit holds what a URL asks for against what the endpoint allows, and expands names. Beside an error of the syntax, the
// last text of the address is the one that it is about.
func (e *endpoint) admit(a *imageurl.Address) error {
	unnamed := func(s syntax.Step) bool { return !s.IsNamed() }
	if e.config.Unnamed == unnamedDeny && slices.ContainsFunc(a.Chain, unnamed) {
		return errUnnamed
	}
	if err := a.Expand(e.config.ready.named); err != nil {
		return err
	}
	if len(e.config.ready.always) > 0 && asksForOriginal(a.Chain) {
		return errUntouched
	}
	return nil
}
