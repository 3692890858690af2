package block

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/dustin/go-humanize"
)

// One reads a single text.
func One[T any](field func(T) *string) func(T, []string) error {
	return func(into T, args []string) error {
		if len(args) != 1 {
			return ErrCount
		}
		if args[0] == "" {
			return errors.New("the value is empty")
		}
		*field(into) = args[0]
		return nil
	}
}

// Some reads one text or more.
func Some[T any](field func(T) *[]string) func(T, []string) error {
	return func(into T, args []string) error {
		if len(args) == 0 {
			return ErrCount
		}
		*field(into) = args
		return nil
	}
}

// Number reads a whole number above 0.
func Number[T any, N int | int64](field func(T) *N) func(T, []string) error {
	return func(into T, args []string) error {
		if len(args) != 1 {
			return ErrCount
		}
		n, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil || n < 1 || int64(N(n)) != n {
			return fmt.Errorf("%q is not a whole number above 0", args[0])
		}
		*field(into) = N(n)
		return nil
	}
}

// Size reads a number of bytes above 0, such as 500KB or 2GiB.
func Size[T any](field func(T) *int64) func(T, []string) error {
	return func(into T, args []string) error {
		if len(args) != 1 {
			return ErrCount
		}
		n, err := humanize.ParseBytes(args[0])
		if err != nil || n < 1 || n > math.MaxInt64 {
			return fmt.Errorf("%q is not a size above 0; write it as 500KB or 2GiB", args[0])
		}
		*field(into) = int64(n)
		return nil
	}
}

// Duration reads a time above 0, such as 30s or 1d.
func Duration[T any](field func(T) *caddy.Duration) func(T, []string) error {
	return func(into T, args []string) error {
		if len(args) != 1 {
			return ErrCount
		}
		t, err := caddy.ParseDuration(args[0])
		if err != nil || t <= 0 {
			return fmt.Errorf("%q is not a time above 0; write it as 500ms, 30s, 5m or 1d", args[0])
		}
		*field(into) = caddy.Duration(t)
		return nil
	}
}

// Flag reads the word alone, and sets the field.
func Flag[T any](field func(T) *bool) func(T, []string) error {
	return func(into T, args []string) error {
		if len(args) != 0 {
			return ErrCount
		}
		*field(into) = true
		return nil
	}
}
