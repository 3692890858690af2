package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// TestValidateAsksNobody validates origins with each store's default credentials, which are looked for at addresses
// that nobody answers at.
func TestValidateAsksNobody(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	var asked atomic.Int64
	go func() {
		for {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			defer conn.Close() // it is never answered
		}
	}()
	dir := t.TempDir()
	file := filepath.Join(dir, "Caddyfile")
	config := `{
	admin off
	imageorigin {
		origin a s3 {
			bucket pictures
			region eu-west-1
		}
		origin b s3_compatible {
			bucket pictures
			endpoint http://` + silent.Addr().String() + `
		}
		origin c gcs {
			bucket pictures
		}
		origin d azure {
			account pictures
			container pictures
		}
		origin e web http://` + silent.Addr().String() + `
		endpoint default {
			origins a b c d e
		}
	}
}
http://127.0.0.1:0 {
	imageorigin
}
`
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.json")
	if err := os.WriteFile(empty, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	validate := func(file string) time.Duration {
		t.Helper()
		validate := exec.Command(caddyBinary, "validate", "--config", file)
		validate.Dir = dir
		validate.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir,
			"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://" + silent.Addr().String(),
			"GCE_METADATA_HOST=" + silent.Addr().String(),
			"IDENTITY_ENDPOINT=http://" + silent.Addr().String(), "IDENTITY_HEADER=x",
		}
		began := time.Now()
		out, err := validate.CombinedOutput()
		if err != nil {
			t.Fatalf("validate: %v\n%s", err, out)
		}
		return time.Since(began)
	}
	start, took := validate(empty), validate(file)
	t.Logf("valid after %v, of which Caddy itself takes %v", took, start)
	if n := asked.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	// Metadata addresses are waited for for seconds.
	if took-start > time.Second {
		t.Errorf("it took %v, and %v without any origin", took, start)
	}
}
