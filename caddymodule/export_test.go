package caddymodule

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// CatchWarnings collects warnings of the Caddyfile in into instead of logging them, until the returned func is called.
func CatchWarnings(into *[]caddyconfig.Warning) (stop func()) {
	log := logWarning
	logWarning = func(w caddyconfig.Warning) { *into = append(*into, w) }
	return func() { logWarning = log }
}

// Running returns how many configs are started.
func Running() int {
	running.mu.Lock()
	defer running.mu.Unlock()
	return len(running.apps)
}

// GateSlots counts how many of a crowd of renders the process lets in at once.
func GateSlots(t *testing.T) int {
	t.Helper()
	const crowd = 12
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	for range crowd {
		go func() {
			_, _ = gate.Guard(sleeper{}).Render(ctx, transform.Inputs{}, plan.Plan{})
			left <- struct{}{}
		}()
	}
	defer func() {
		cancel()
		for range crowd {
			<-left
		}
	}()
	for range 1000 {
		if load := gate.Load(); load.Running+load.Waiting == crowd {
			return load.Running
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the crowd did not arrive at the gate")
	return 0
}

// sleeper is an engine that renders until its context ends.
type sleeper struct{ transform.Engine }

func (sleeper) Render(ctx context.Context, _ transform.Inputs, _ plan.Plan) (*transform.Image, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// ServeConfig returns the config of `caddy imageorigin serve`.
func ServeConfig(root string, urls []string, listen, domain string, accessLog bool) (*caddy.Config, error) {
	return serveOptions{root: root, urls: urls, listen: listen, domain: domain, accessLog: accessLog}.config()
}

// Check runs `caddy imageorigin check` and returns what it prints.
func Check(config []byte, names, keys []string) (string, error) {
	var out strings.Builder
	c := checker{timeout: 10 * time.Second, out: &out}
	err := c.checkAll(config, names, keys)
	return out.String(), err
}

// Params runs `caddy imageorigin params` and returns what it prints.
func Params(asJSON bool, names ...string) (string, error) {
	var out strings.Builder
	err := printParameters(&out, names, asJSON)
	return out.String(), err
}

// Explain runs `caddy imageorigin explain` with the words behind it, on a config in JSON; "" is none.
func Explain(config string, args ...string) (string, error) {
	cmd := explainCommand()
	if err := cmd.ParseFlags(args); err != nil {
		return "", err
	}
	if err := cmd.ValidateFlagGroups(); err != nil {
		return "", err
	}
	x, err := explainerOf(caddycmd.Flags{FlagSet: cmd.Flags()})
	if err != nil {
		return "", err
	}
	if config != "" {
		x.config = []byte(config)
	}
	var out strings.Builder
	err = x.explain(&out, cmd.Flags().Arg(0))
	return out.String(), err
}

// Transform runs `caddy imageorigin transform` and returns what it prints.
func Transform(in, chain, out string, force bool) (stdout, stderr string, err error) {
	var outs, errs strings.Builder
	j := transformJob{in: in, chain: chain, out: out, force: force, stdout: &outs, stderr: &errs}
	err = j.run()
	return outs.String(), errs.String(), err
}
