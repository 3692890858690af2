package vipsexec_test

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

func TestCaddyfileBecomesJSON(t *testing.T) {
	for _, tt := range []struct {
		name, text, want, err string
	}{
		{name: "nothing set", text: "vips", want: `{}`},
		{name: "workers", text: "vips {\n workers 3\n}", want: `{"workers":3}`},
		{name: "an argument", text: "vips 3", err: "workers"},
		{name: "unknown option", text: "vips {\n threads 3\n}", err: `unknown option "threads"; expected workers, isolation, memory_limit, recycle_after or inputs`},
		{
			name: "workers and what they may take", text: "vips {\n isolation process\n memory_limit 1GiB\n recycle_after 500\n inputs pdf png\n}",
			want: `{"isolation":"process","memory_limit":1073741824,"recycle_after":500,"inputs":["pdf","png"]}`,
		},
		{name: "without workers", text: "vips {\n isolation off\n}", want: `{"isolation":"off"}`},
		{name: "another isolation", text: "vips {\n isolation thread\n}", err: `isolation "thread" is not known; expected process or off, at Testfile:2`},
		{name: "hardly any memory", text: "vips {\n memory_limit 8MiB\n}", err: "memory_limit is 8388608 bytes; set 256MiB or more, for a worker at rest takes most of that, at Testfile:2"},
		{name: "memory of no workers", text: "vips {\n memory_limit 1GiB\n isolation off\n}", err: "memory_limit is about worker processes, and isolation is off; take one of them out, at Testfile:3"},
		{name: "recycling of no workers", text: "vips {\n isolation off\n recycle_after 5\n}", err: "recycle_after is about worker processes, and isolation is off; take one of them out, at Testfile:2"},
		{name: "pages in the server", text: "vips {\n isolation off\n inputs pdf\n}", err: "inputs: pdf is read in worker processes only"},
		{name: "set twice", text: "vips {\n workers 3\n workers 4\n}", err: "already set at Testfile:2"},
		{name: "no number", text: "vips {\n workers many\n}", err: "is not a whole number above 0, at Testfile:2"},
		{name: "none", text: "vips {\n workers 0\n}", err: "is not a whole number above 0, at Testfile:2"},
		{name: "no value", text: "vips {\n workers\n}", err: "wrong number of arguments; write workers <number>"},
		{name: "inputs", text: "vips {\n inputs jpeg pdf\n}", want: `{"inputs":["jpeg","pdf"]}`},
		{name: "no inputs", text: "vips {\n inputs\n}", err: "wrong number of arguments; write inputs <format...>"},
		{name: "an unknown input", text: "vips {\n inputs jpeg bmp\n}", err: `inputs: unknown format "bmp"; expected some of jpeg, png`},
		{name: "an input twice", text: "vips {\n inputs jpeg jpeg\n}", err: "inputs: jpeg is named twice"},
		{name: "two values", text: "vips {\n workers 1 2\n}", err: "wrong number of arguments; write workers <number>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var v vipsexec.Vips
			err := v.UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%q: got error %v, want one with %q", tt.text, err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%q: %v", tt.text, err)
			}
			if got, _ := json.Marshal(&v); string(got) != tt.want {
				t.Errorf("%q: got %s, want %s", tt.text, got, tt.want)
			}
		})
	}
}

func TestModuleIsAnEngineOfItsSlots(t *testing.T) {
	for _, tt := range []struct {
		name    string
		workers int
		slots   int
	}{
		{"as configured", 5, 5},
		{"one a CPU by default", 0, runtime.GOMAXPROCS(0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
			defer cancel()
			info, err := caddy.GetModule("imageorigin.engines.vips")
			if err != nil {
				t.Fatal(err)
			}
			v := info.New().(*vipsexec.Vips)
			v.Workers = tt.workers
			if err := v.Provision(ctx); err != nil {
				t.Fatal(err)
			}
			if v.Slots() != tt.slots || v.Writable() == 0 || v.Version() == "" {
				t.Errorf("got %d slots, writable %v, version %q; want %d slots", v.Slots(), v.Writable(), v.Version(), tt.slots)
			}
		})
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	defer cancel()
	if err := (&vipsexec.Vips{Workers: -1}).Provision(ctx); err == nil {
		t.Error("a negative number of workers is accepted")
	}
	if err := (&vipsexec.Vips{Inputs: []string{}}).Provision(ctx); err == nil || err.Error() != "inputs is empty; name the formats that are read, or leave it out" {
		t.Errorf("no inputs: %v", err)
	}
	v := &vipsexec.Vips{Inputs: []string{"pdf", "png"}}
	if err := v.Provision(ctx); err != nil || v.Readable() != plan.SetOf(plan.PDF, plan.PNG) {
		t.Errorf("got %v, %v, want the inputs", v.Readable(), err)
	}
	for _, half := range []*vipsexec.Vips{v, new(vipsexec.Vips)} {
		if err := half.Cleanup(); err != nil {
			t.Error(err)
		}
	}
}
