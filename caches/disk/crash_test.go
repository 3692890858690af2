package disk

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// writerFolder is where a child process of the tests writes until it is killed.
const writerFolder = "IMAGEORIGIN_TEST_WRITER_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerFolder); dir != "" {
		writeForever(dir)
	}
	if dir := os.Getenv(readerFolder); dir != "" {
		readMillionsAndExit(dir)
	}
	os.Exit(m.Run())
}

const (
	crashKeys  = 200
	crashLimit = 1 << 20
)

// bodyOf returns what may stand under a key: a generation, then bytes that follow from key and generation.
func bodyOf(n int, generation uint64) []byte {
	random := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(generation), byte(generation >> 8), byte(generation >> 16)})
	body := make([]byte, 10+int(random.Uint64()%20_000))
	_, _ = random.Read(body)
	copy(body, fmt.Sprintf("%08d", generation%100_000_000))
	return body
}

func writeForever(dir string) {
	s, err := New(Config{Dir: dir, MaxBytes: crashLimit})
	if err != nil {
		panic(err)
	}
	fmt.Println("writing")
	for range 4 {
		go func() {
			for {
				n, generation := rand.IntN(crashKeys), rand.Uint64N(1<<24)
				_ = s.Put(context.Background(), key(n), caches.Meta{Tags: []string{"crash"}}, bytes.NewReader(bodyOf(n, generation)))
			}
		}()
	}
	time.Sleep(time.Minute)
	os.Exit(1)
}

func TestKilledWritersLeaveNoWrongByteAndKeepTheBounds(t *testing.T) {
	dir := t.TempDir()
	rounds := 100
	if testing.Short() {
		rounds = 10
	}
	seen, midway := 0, 0
	for round := range rounds {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), writerFolder+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, len("writing\n"))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		_ = child.Process.Kill()
		if err := child.Wait(); err == nil || child.ProcessState.Exited() {
			t.Fatalf("round %d: the writer ended by itself: %v", round, child.ProcessState)
		}
		midway += len(drafted(t, dir))

		s, err := New(Config{Dir: dir, MaxBytes: crashLimit})
		if err != nil {
			t.Fatal(err)
		}
		for n := range crashKeys {
			e, err := s.Get(t.Context(), key(n))
			if err != nil {
				continue
			}
			got, err := io.ReadAll(e.Content)
			e.Content.Close()
			var generation uint64
			fmt.Sscanf(string(got[:min(len(got), 8)]), "%d", &generation)
			if err != nil || !bytes.Equal(got, bodyOf(n, generation)) {
				t.Fatalf("round %d: %v holds %d bytes that nobody wrote, %v", round, key(n), len(got), err)
			}
			seen++
		}
		<-s.scanned
		s.index.settle()
		if files, size := onDisk(t, dir); size > crashLimit {
			t.Errorf("round %d: %d files of %d bytes are more than the bound", round, files, size)
		}
		if left := drafted(t, dir); len(left) > 0 {
			t.Errorf("round %d: of writers that were killed there are still %v", round, left)
		}
		s.Close()
	}
	t.Logf("%d writers were killed, with %d files half written; %d entries were found whole in between", rounds, midway, seen)
	if seen < rounds || midway == 0 {
		t.Errorf("only %d entries and %d half of one were found in %d rounds: the test proves little", seen, midway, rounds)
	}
}

// drafted returns the files below dir that are being written, or were.
func drafted(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, temporary, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}
