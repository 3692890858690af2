package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// TestMain is the worker's main, too: the pools of the tests start this binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Argument {
		os.Exit(Serve(startFake))
	}
	os.Exit(m.Run())
}

// startFake starts the engine of the tests. Settings say what is wrong with it.
func startFake(settings []byte, known *Known) (Engine, error) {
	what, value, _ := strings.Cut(string(settings), " ")
	f := &fake{version: "fake 1", writable: plan.SetOf(plan.PNG, plan.JPEG)}
	if known != nil {
		f.version, f.writable = known.Version, known.Writable
	}
	switch what {
	case "refuse":
		return Engine{}, errors.New("libfake is not installed")
	case "die":
		fmt.Fprintln(os.Stderr, "libfake says good bye")
		os.Exit(3)
	case "later": // all but the first worker fail
		if known != nil {
			return Engine{}, errors.New("only one is possible")
		}
	case "differ":
		if known != nil {
			f.version = "fake 2"
		}
	case "ghost": // ends by itself a while after it said hello
		if known != nil {
			time.AfterFunc(20*time.Millisecond, func() { os.Exit(0) })
		}
	case "unconfined":
		return Engine{Engine: f, Confine: func() ([]string, []string, error) { return nil, nil, errors.New("no such measure") }}, nil
	}
	return Engine{
		Engine:  f,
		Trim:    func() { f.trim(value) },
		Confine: func() ([]string, []string, error) { return []string{"none", "in fact"}, []string{"all: a test"}, nil },
	}, nil
}

// fake does what the original says: a word, and a value behind it.
type fake struct {
	version  string
	writable plan.Set
	kept     []byte
}

func (f *fake) trim(how string) {
	if how != "stubborn" {
		giveBack(f.kept)
		f.kept = nil
	}
}

func (f *fake) Version() string    { return f.version }
func (f *fake) Writable() plan.Set { return f.writable }
func (f *fake) Readable() plan.Set { return plan.SetOf(plan.PNG, plan.GIF) }

func (f *fake) Probe(ctx context.Context, o transform.Original) (plan.Source, error) {
	err := f.obey(ctx, o.Bytes)
	return plan.Source{Format: plan.PNG, Width: len(o.Bytes), Height: 7, Orientation: 1, Frames: 1, Pages: 1, Page: 0, Density: float64(o.Page)}, err
}

func (f *fake) Look(ctx context.Context, in transform.Inputs, l plan.Look) (plan.Window, error) {
	return plan.Window{X: 1, Y: 2, Width: l.Width - 1, Height: l.Height - 2}, f.obey(ctx, in.Base.Bytes)
}

func (f *fake) Render(ctx context.Context, in transform.Inputs, p plan.Plan) (*transform.Image, error) {
	if err := f.obey(ctx, in.Base.Bytes); err != nil {
		return nil, err
	}
	return &transform.Image{Bytes: fakeResult(in.Base.Bytes), Format: p.Output.Format, Width: p.Width, Height: p.Height, Frames: 1}, nil
}

// hang waits for ever. Without a timer the runtime would notice and end the process.
func hang() {
	for {
		time.Sleep(time.Hour)
	}
}

// fakeResult is what the engine makes of an original.
func fakeResult(b []byte) []byte {
	word, value := order(b)
	switch word {
	case "large":
		n, _ := strconv.Atoi(value)
		return bytes.Repeat([]byte("large result "), n/13+1)[:n]
	case "pid":
		return []byte(strconv.Itoa(os.Getpid()))
	case "state":
		return stateOfWorker(value)
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

func order(b []byte) (word, value string) {
	line, _, _ := bytes.Cut(b[:min(len(b), 200)], []byte("\n"))
	word, value, _ = strings.Cut(string(line), " ")
	return word, value
}

func (f *fake) obey(ctx context.Context, b []byte) error {
	word, value := order(b)
	n, _ := strconv.Atoi(value)
	switch word {
	case "signal":
		syscall.Kill(os.Getpid(), syscall.Signal(n))
		hang()
	case "exit":
		fmt.Fprintln(os.Stderr, "I have had enough")
		os.Exit(n)
	case "panic":
		panic("by order")
	case "abort":
		fmt.Fprintln(os.Stderr, "GLib-ERROR: failed to allocate 12345 bytes")
		syscall.Kill(os.Getpid(), syscall.SIGTRAP)
		hang()
	case "hang":
		hang()
	case "sleep":
		time.Sleep(time.Duration(n) * time.Millisecond)
	case "wait": // as pixel work does: until it is told to stop
		select {
		case <-ctx.Done():
			return &transform.Error{Kind: transform.Canceled, Op: "waiting", Err: ctx.Err()}
		case <-time.After(time.Duration(n) * time.Millisecond):
		}
	case "keep":
		f.trim("well")
		f.kept = touch(n << 20)
	case "eat":
		for {
			touch(4 << 20)
		}
	case "fail":
		return &transform.Error{Kind: transform.Kind(n), Op: "obeying", Err: errors.New("by\norder")}
	case "say":
		sayRaw(value)
	case "change":
		return changeOriginal(b)
	}
	return nil
}
