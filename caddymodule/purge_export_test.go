package caddymodule

import (
	"context"
	"strings"
	"testing"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/imageorigin/imageorigin/caches"
)

// FakePurges has purges dropped by drop until the test ends.
func FakePurges(t *testing.T, drop func(match caches.Pattern) (int, error)) {
	t.Helper()
	before := purges
	purges = newDesk(memoryFunc(func(_ context.Context, match caches.Pattern, _ []caches.Store) (int, error) { return drop(match) }), noStores)
	t.Cleanup(func() { purges = before })
}

// Purge runs `caddy imageorigin purge` with the words behind it and returns what it prints.
func Purge(args ...string) (string, error) {
	flags, urls, err := parsed(purgeCommand(), args)
	if err != nil {
		return "", err
	}
	tags, err := flags.GetStringArray("tag")
	if err != nil {
		return "", err
	}
	body := purgeBody{URLs: urls, Endpoint: flags.String("endpoint"), Tags: tags, Everything: flags.Bool("everything")}
	if err := body.chosen(); err != nil {
		return "", err
	}
	admin, err := adminOf(flags)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = admin.purge(&out, body)
	return out.String(), err
}

// CacheStatusOf runs `caddy imageorigin status` with the words behind it and returns what it prints.
func CacheStatusOf(args ...string) (string, error) {
	flags, _, err := parsed(statusCommand(), args)
	if err != nil {
		return "", err
	}
	admin, err := adminOf(flags)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = admin.status(&out, flags.Bool("json"))
	return out.String(), err
}

func parsed(cmd *cobra.Command, args []string) (caddycmd.Flags, []string, error) {
	err := cmd.ParseFlags(args)
	return caddycmd.Flags{FlagSet: cmd.Flags()}, cmd.Flags().Args(), err
}
