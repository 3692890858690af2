package vipsexec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

// What a process that works on one bomb is bounded by. Above a bound of these it ends, and the parent sees it.
const (
	bombCPU    = 30 * time.Second // the default of the limit timeout, as if there were one processor
	runawayCPU = 2 * time.Second  // of those that nothing in the process bounds
	bombData   = 4 << 30          // bytes (RLIMIT_DATA), above every bound that is checked
	bombWait   = 2 * time.Minute  // by the clock, on a busy machine
)

// What a render may hold beside what the process has for a harmless picture.
const (
	bytesOfPixel = 16       // four bands of 32 bits, or eight bytes twice: a decoder that must hold all before the first
	copiesOfFile = 3        // the file, a part of it that a decoder keeps, and room that a buffer grows into
	bytesBeside  = 96 << 20 // threads, tables, rows under way, a profile or text of the most that decoders take
)

// verdict is what a process of its own tells about pictures.
type verdict struct {
	Outcome transformtest.Outcome // of the last that was not served
	Message string
	All     map[transformtest.Outcome]int
	Peak    int64 // bytes resident at most (VmHWM)
	CPU     time.Duration
}

// The environment by which a test binary knows that it is to work on a file.
const (
	bombFile  = "IMAGEORIGIN_TEST_BOMB" // or several, as in PATH
	bombChain = "IMAGEORIGIN_TEST_BOMB_CHAIN"
	bombTime  = "IMAGEORIGIN_TEST_BOMB_SECONDS"
)

func init() {
	if os.Getenv(bombFile) != "" {
		child = func() int {
			if err := workAlone(filepath.SplitList(os.Getenv(bombFile)), os.Getenv(bombChain), os.Getenv(bombTime)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 3
			}
			return 0
		}
	}
}

// workAlone bounds this process, works on the files and prints the verdict.
func workAlone(files []string, chain, seconds string) error {
	limit, err := strconv.ParseUint(seconds, 10, 32)
	if err != nil {
		return err
	}
	for resource, most := range map[int]uint64{syscall.RLIMIT_CPU: limit, syscall.RLIMIT_DATA: bombData, syscall.RLIMIT_CORE: 0} {
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			return err
		}
	}
	e, err := vipsexec.New(vipsexec.Config{})
	if err != nil {
		return err
	}
	v := verdict{Outcome: transformtest.Served, All: map[transformtest.Outcome]int{}}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		outcome := transformtest.Served
		if err := serveSmall(e, src, chain); err != nil {
			outcome = outcomeOf(err)
			v.Outcome, v.Message = outcome, err.Error()
		}
		v.All[outcome]++
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if peak, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(peak), "kB")), 10, 64)
			if err != nil {
				return err
			}
			v.Peak = kib << 10
		}
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return err
	}
	v.CPU = time.Duration(used.Utime.Nano() + used.Stime.Nano())
	return json.NewEncoder(os.Stdout).Encode(v)
}

// serveSmall makes a picture within 100 x 100 of src, as a server with the default limits does.
func serveSmall(e *vipsexec.Engine, src []byte, chain string) error {
	text := "w-100,h-100,c-at_max,f-png"
	if chain != "" {
		text += "," + chain
	}
	c, err := syntax.Parse(text)
	if err != nil {
		return err
	}
	page, still := plan.PageOf(c)
	original := transform.Original{Bytes: src, Page: page}
	facts, err := e.Probe(context.Background(), original)
	if err != nil {
		return err
	}
	p, err := plan.Resolve(c, plan.Sources{Base: facts}, plan.Hints{Writable: e.Writable(), Still: still}, defaultLimits)
	if err != nil {
		return err
	}
	img, err := e.Render(context.Background(), transform.Inputs{Base: original}, p)
	if err != nil {
		return err
	}
	if img.Width > 100 || img.Height > 100 || transform.Sniff(img.Bytes) != plan.PNG {
		return fmt.Errorf("the result is %d x %d of %v", img.Width, img.Height, img.Format)
	}
	return nil
}

func outcomeOf(err error) transformtest.Outcome {
	if _, over := errors.AsType[*plan.LimitError](err); over {
		return transformtest.OverLimit
	}
	if _, wrong := errors.AsType[*syntax.Error](err); wrong {
		return transformtest.Invalid
	}
	return transformtest.Refused(transform.KindOf(err))
}

// alone has another process work on a bomb, or on several files. It fails where that process ends otherwise than by telling a verdict.
func alone(t *testing.T, b transformtest.Bomb, sources ...[]byte) (v verdict, err error) {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for i, src := range sources {
		files = append(files, filepath.Join(dir, strconv.Itoa(i)))
		if err := os.WriteFile(files[i], src, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	most := bombCPU
	if b.Runaway != "" {
		most = runawayCPU
	}
	ctx, cancel := context.WithTimeout(t.Context(), bombWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "GOTRACEBACK=none", bombFile+"="+strings.Join(files, string(filepath.ListSeparator)), bombChain+"="+b.Chain, fmt.Sprintf("%s=%d", bombTime, most/time.Second))
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return v, fmt.Errorf("%w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return v, json.Unmarshal(out, &v)
}

func TestBombsStayWithinTheirBounds(t *testing.T) {
	ordinaryBuild(t)
	control, err := alone(t, transformtest.Control(), transformtest.Control().Bytes())
	if err != nil || control.Outcome != transformtest.Served {
		t.Fatalf("a harmless picture: %+v, %v", control, err)
	}
	for _, b := range transformtest.Bombs() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			src := b.Bytes()
			if got := transform.Sniff(src); got != b.Format {
				t.Fatalf("it begins like %v, not %v", got, b.Format)
			}
			v, err := alone(t, b, src)
			if err != nil {
				if b.Runaway == "" || !ranOut(err) && !(b.Aborts && aborted(err)) {
					t.Fatalf("the process ended: %v", err)
				}
				t.Logf("| %d | %s | %d | contained: %s | | |", b.Number, b.Name, len(src), b.Runaway)
				return
			}
			most := control.Peak + b.Pixels*bytesOfPixel + int64(len(src))*copiesOfFile + bytesBeside
			t.Logf("| %d | %s | %d | %s: %s | %.2f | %d |", b.Number, b.Name, len(src), v.Outcome, v.Message, v.CPU.Seconds(), (v.Peak-control.Peak)>>20)
			if !wanted(b, v.Outcome) {
				t.Errorf("it is %s (%s), want %v", v.Outcome, v.Message, b.Want)
			}
			if v.Peak > most {
				t.Errorf("it took %d MiB, at most %d are right: %d of a harmless picture, %d bytes for each of %d pixels, %d times %d bytes of the file, and %d MiB",
					v.Peak>>20, most>>20, control.Peak>>20, bytesOfPixel, b.Pixels, copiesOfFile, len(src), bytesBeside>>20)
			}
		})
	}
}

// ranOut reports whether a process was ended because its time of CPU was over.
func ranOut(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL && exit.SystemTime()+exit.UserTime() >= runawayCPU/2 // the kernel counts in ticks
}

// aborted reports whether a library ended the process. Go, where its handler is reached, makes a status of 2 of the signal.
func aborted(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && (status.Signaled() && status.Signal() == syscall.SIGABRT || status.ExitStatus() == 2 && strings.Contains(err.Error(), "panicked"))
}

// A damaged file is refused, or is a picture still; it is never a mistake of ours, and never the end of the process.
func TestDamagedFilesAreRefusedOrShown(t *testing.T) {
	ordinaryBuild(t)
	for _, f := range []plan.Format{plan.JPEG, plan.PNG, plan.GIF, plan.WebP, plan.AVIF, plan.HEIC, plan.TIFF, plan.SVG, plan.JXL} {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			files := transformtest.Damaged(f)
			v, err := alone(t, transformtest.Bomb{}, files...)
			if err != nil {
				t.Fatalf("the process ended: %v", err)
			}
			t.Logf("%d files: %v", len(files), v.All)
			for outcome, n := range v.All {
				switch outcome {
				case transformtest.Refused(transform.Internal), transformtest.Refused(transform.Timeout), transformtest.Refused(transform.Canceled), transformtest.Invalid:
					t.Errorf("%d are %s, such as: %s", n, outcome, v.Message)
				}
			}
			if v.All[transformtest.Refused(transform.Broken)] == 0 {
				t.Error("none is found to be broken")
			}
		})
	}
}

func wanted(b transformtest.Bomb, got transformtest.Outcome) bool {
	for _, want := range b.Want {
		if got == want {
			return true
		}
	}
	return false
}
