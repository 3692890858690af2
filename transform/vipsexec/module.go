package vipsexec

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/worker"
)

func init() {
	caddy.RegisterModule(new(Vips))
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  worker.Argument,
		Short: "Works on pictures for a running server, which starts it by itself",
		CobraFunc: func(cmd *cobra.Command) {
			cmd.Hidden = true
			cmd.Run = func(*cobra.Command, []string) {
				code, _ := ServeAsWorker()
				os.Exit(code)
			}
		},
	})
}

// Vips transforms pictures with libvips, in worker processes: a picture that crashes its decoder costs that one request, and
// not the server.
type Vips struct {
	// How many pictures are worked on at once; others wait in line. Each takes one CPU, a process and the memory of its pixels.
	// Placeholders are not supported. Default: the number of CPUs.
	Workers int `json:"workers,omitempty"`

	// Where pixels are worked on: `process`, in worker processes that may do nothing else, or `off`, in the server itself, which
	// a broken picture can then end. Placeholders are not supported. Default: `process` on Linux, `off` elsewhere.
	Isolation string `json:"isolation,omitempty"`

	// Resident memory of a worker in bytes above which it is ended, and its picture refused. Placeholders are not supported.
	// Default: 2GiB (2147483648).
	MemoryLimit int64 `json:"memory_limit,omitempty"`

	// Pictures after which a worker is replaced by a fresh one. Placeholders are not supported. Default: 10000.
	RecycleAfter int `json:"recycle_after,omitempty"`

	// The formats that are read, of jpeg, png, gif, webp, avif, heic, tiff, svg, jxl and pdf. Files of others are no pictures,
	// and pass through unchanged. One that this libvips can't decode is an error, and so is pdf without isolation. Placeholders
	// are not supported. Default: all that it can decode but pdf.
	Inputs []string `json:"inputs,omitempty"`

	transform.Engine `json:"-"`

	workers *workers // nil: without isolation
	close   func()
	logger  *zap.Logger
	slogger *slog.Logger
}

// The words of Vips.Isolation.
const (
	isolationProcess = "process"
	isolationOff     = "off"
)

// The defaults of Vips.
const (
	defaultMemoryLimit  = 2 << 30
	defaultRecycleAfter = 10_000
)

// CaddyModule returns the Caddy module information.
func (*Vips) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "imageorigin.engines.vips",
		New: func() caddy.Module { return new(Vips) },
	}
}

// Provision starts libvips with the first config that uses it: in a first worker, which says what it can read and write, or
// in the server.
func (v *Vips) Provision(ctx caddy.Context) error {
	v.logger, v.slogger = ctx.Logger(), ctx.Slogger()
	inputs, err := ParseInputs(v.Inputs)
	if err != nil {
		return err
	}
	v.setDefaults()
	if err := v.validate(inputs); err != nil {
		return err
	}
	if v.Isolation == isolationProcess {
		return v.isolate(inputs)
	}
	engine, err := New(Config{Inputs: inputs})
	if err != nil {
		return err
	}
	v.Engine, v.close = engine, engine.Close
	return nil
}

// pools have the workers of all configs, by their settings.
var pools = caddy.NewUsagePool()

// isolate finds the workers of the same settings, which an older config has started, or starts some.
func (v *Vips) isolate(inputs plan.Set) error {
	key := fmt.Sprintf("memory %d, recycle %d, inputs %v", v.MemoryLimit, v.RecycleAfter, inputs)
	shared, _, err := pools.LoadOrNew(key, func() (caddy.Destructor, error) {
		return openWorkers(v.Slots(), v.MemoryLimit, v.RecycleAfter, workerSettings{Inputs: inputs}, v.slogger)
	})
	if err != nil {
		return err
	}
	v.workers = shared.(*workers)
	v.Engine, v.close = v.workers, func() { _, _ = pools.Delete(key) }
	return nil
}

// validate judges the settings. The defaults of Isolation are filled in.
func (v *Vips) validate(inputs plan.Set) error {
	if v.Workers < 0 {
		return errors.New("workers is negative; set 1 or more, or leave it out for the number of CPUs")
	}
	if v.RecycleAfter < 0 {
		return errors.New("recycle_after is negative; set 1 or more")
	}
	if v.Isolation == isolationProcess && runtime.GOOS != "linux" {
		return errors.New("isolation process needs Linux; leave it out here, or set it off")
	}
	for _, check := range []func(*Vips) error{checkIsolation, checkMemory} {
		if err := check(v); err != nil {
			return err
		}
	}
	return checkTogether(v, inputs)
}

// leastMemory is the lowest memory_limit: below it no worker starts.
const leastMemory = 256 << 20

func (v *Vips) setDefaults() {
	if v.Isolation == "" {
		v.Isolation = isolationOff
		if runtime.GOOS == "linux" {
			v.Isolation = isolationProcess
		}
	}
	if v.Isolation == isolationOff {
		return
	}
	if v.MemoryLimit == 0 {
		v.MemoryLimit = defaultMemoryLimit
	}
	if v.RecycleAfter == 0 {
		v.RecycleAfter = defaultRecycleAfter
	}
}

// Rule has this config's number of workers hold, and its log be told what happens to them. Without isolation it is told the
// warnings of libvips, at debug level: about damaged pictures, which the answer to the request tells as well.
func (v *Vips) Rule() {
	if v.workers != nil {
		v.workers.rule(v.Slots(), v.slogger)
		return
	}
	LogTo(func(message string) { v.logger.Debug("libvips warns", zap.String("warning", message)) })
}

// Slots returns how many pictures should be worked on at once.
func (v *Vips) Slots() int {
	if v.Workers > 0 {
		return v.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Cleanup gives back the workers, which the last config that has them ends, or the loaders of libvips that the config opened.
func (v *Vips) Cleanup() error {
	if v.close != nil {
		v.close()
	}
	return nil
}

// Interface guards
var (
	_ caddy.Provisioner     = (*Vips)(nil)
	_ caddy.CleanerUpper    = (*Vips)(nil)
	_ caddyfile.Unmarshaler = (*Vips)(nil)
	_ transform.Engine      = (*Vips)(nil)
)
