package caddymodule

import (
	"fmt"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/internal/delivery"
)

// Variants bound how many different results of one file may be made for URLs that anybody can make.
type Variants struct {
	// How many: 1 to 500.
	Max int `json:"max"`

	// Within how long: from 1s to 30 days (2592000000000000).
	Window caddy.Duration `json:"window"`
}

// The bounds of a window.
const (
	leastWindow = caddy.Duration(time.Second)
	mostWindow  = caddy.Duration(30 * 24 * time.Hour)
)

// readVariants reads a number and a time.
func readVariants(e *Endpoint, args []string) error {
	if len(args) != 2 {
		return block.ErrCount
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return fmt.Errorf("%q is not a whole number from 1 to %d", args[0], delivery.MaxVariants)
	}
	window, err := caddy.ParseDuration(args[1])
	if err != nil {
		return fmt.Errorf("%q is not a time; write it as 30m, 1h or 1d", args[1])
	}
	e.Variants = &Variants{Max: n, Window: caddy.Duration(window)}
	return nil
}

// check says what is wrong with the numbers.
func (v *Variants) check() error {
	switch {
	case v == nil:
		return nil
	case v.Max < 1 || v.Max > delivery.MaxVariants:
		return fmt.Errorf("%d variants are out of range; set a number from 1 to %d, or leave variants out", v.Max, delivery.MaxVariants)
	case v.Window < leastWindow || v.Window > mostWindow:
		return fmt.Errorf("a window of %v is out of range; set a time from 1s to 30d", time.Duration(v.Window))
	}
	return nil
}

// budget returns the same as the stages of a request know it.
func (v *Variants) budget() delivery.Budget {
	if v == nil {
		return delivery.Budget{}
	}
	return delivery.Budget{Max: v.Max, Window: time.Duration(v.Window)}
}
