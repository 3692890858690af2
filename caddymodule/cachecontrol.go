package caddymodule

import (
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/internal/delivery"
)

// lasting is what clients and CDNs are told about keeping an answer.
type lasting struct {
	control string // Cache-Control
	cdn     string // CDN-Cache-Control (RFC 9213); "" is none
	age     bool   // the time counts from when the original was last known to be current: with Age
}

// lasting returns what clients and CDNs are told. Where an answer may soon be another they keep it for the endpoint's short
// times only, which count from now.
func (x *exchange) lasting(resp *delivery.Response) lasting {
	config := x.endpoint.config
	usual := x.usually(resp)
	var short *caddy.Duration
	revalidate := ""
	switch {
	case resp.Missing != nil:
		short = config.MissTTL
	case resp.Failed != nil, resp.Origin.Degraded, resp.How.Stuck, resp.How.Hit && resp.How.Stale():
		// An origin before this one, or this one, may have a newer copy; a short fault must not pin this one.
		short, revalidate = config.DegradedTTL, ", must-revalidate"
	default:
		return usual
	}
	scope := "public"
	switch secrecy(usual.control) {
	case "no-store":
		return lasting{control: usual.control}
	case "private":
		scope = "private"
	}
	return lasting{control: scope + ", max-age=" + strconv.FormatInt(seconds(short), 10) + revalidate}
}

// usually is what clients and CDNs are told where nothing is wrong with the answer. What the site has chosen counts from
// now, and holds whatever the origin says; our default does not make public what the origin says is not.
func (x *exchange) usually(resp *delivery.Response) lasting {
	// HTTP/2 drops a header with a control character in it: what is private would then look as if nothing were said.
	config, origin := x.endpoint.config, headerSafe(resp.Origin.CacheControl)
	if own := config.CacheControl; own != "origin" && own != defaultCacheControl {
		return lasting{control: own, cdn: config.CDNCacheControl}
	}
	if secret := secrecy(origin) != ""; secret {
		return lasting{control: origin, age: true}
	}
	control := defaultCacheControl
	if config.CacheControl == "origin" && origin != "" {
		control = origin
	}
	// A time for CDNs is the site's choice: Age would be taken off it.
	return lasting{control: control, cdn: config.CDNCacheControl, age: config.CDNCacheControl == ""}
}

// secrecy returns the directive of a Cache-Control value that keeps answers out of shared caches (RFC 9111 §5.2.2), "private"
// or "no-store", which is the stricter; "" if there is neither. A "private" for single fields counts as one for all.
func secrecy(control string) (found string) {
	if control == "" || control == defaultCacheControl {
		return ""
	}
	for directive := range strings.SplitSeq(control, ",") {
		name, _, _ := strings.Cut(directive, "=")
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, "no-store"):
			return "no-store"
		case strings.EqualFold(name, "private"):
			found = "private"
		}
	}
	return found
}

func seconds(d *caddy.Duration) int64 { return int64(time.Duration(*d).Seconds()) }
