package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/e2e/stores"
)

// migration is a site in the middle of a move: some pictures are in S3 already, some in Google Cloud Storage, and the
// old web server has all of them. Each store's copy has another shape, so that a picture tells where it comes from.
type migration struct {
	t         *testing.T
	s3        *stores.S3Store
	gcs       *stores.GCSStore
	nginx     *stores.NginxServer
	s3Faults  *faults.Proxy
	gcsFaults *faults.Proxy
}

// The shapes: width and height of what /tr:w-20/ makes of them.
var (
	fromS3  = [2]int{20, 10}
	fromGCS = [2]int{20, 20}
	fromWeb = [2]int{20, 40}
)

func newMigration(t *testing.T) *migration {
	m := &migration{t: t, s3: stores.S3(t), gcs: stores.GCS(t), nginx: stores.Nginx(t, t.TempDir())}
	m.s3Faults, m.gcsFaults = faults.Start(t, m.s3.Addr), faults.Start(t, m.gcs.Addr)
	return m
}

// options returns the config of the site. The options of s3 and gcs replace or add to what they have.
func (m *migration) options(s3Keys stores.Keys, gcsKey, s3Options, gcsOptions string) string {
	return fmt.Sprintf(`
		origin new s3_compatible {
			bucket %s
			endpoint %s
			region %s
			path_style
			access_key %s
			secret_key %s
			connect_timeout 300ms
			timeout 1s
			%s
		}
		origin middle gcs {
			bucket %s
			endpoint %s
			credentials_file %s
			connect_timeout 300ms
			timeout 1s
			%s
		}
		origin old web %s
		endpoint default {
			origins new middle old
			miss_ttl 0
			results off
		}`,
		m.s3.Bucket, m.s3Faults.URL(), m.s3.Region, s3Keys.Access, s3Keys.Secret, s3Options,
		m.gcs.Bucket, m.gcsFaults.URL(), gcsKey, gcsOptions, m.nginx.URL)
}

// put stores pictures under names that begin with prefix: n in each of the given stores and in the old web server.
func (m *migration) put(prefix string, n int, inS3, inGCS bool) (paths []string) {
	s3Copy, gcsCopy, webCopy := pngOf(m.t, 80, 40), pngOf(m.t, 60, 60), pngOf(m.t, 40, 80)
	for i := range n {
		key := fmt.Sprintf("%s/%d.png", prefix, i)
		if inS3 {
			m.s3.Put(key, s3Copy, "image/png", "")
		}
		if inGCS {
			m.gcs.Put(key, gcsCopy, "image/png", "")
		}
		m.nginx.Put(key, webCopy, "", "")
		paths = append(paths, "/tr:w-20/"+key)
	}
	return paths
}

// TestMigrationSurvivesItsStores takes the first two of three origins away, one after the other and in every way that
// they are lost in: the picture arrives from the next one, and a dead origin's time is paid once in a breaker's window.
func TestMigrationSurvivesItsStores(t *testing.T) {
	const requests = 6
	for _, tt := range []struct {
		name   string
		fault  faults.Fault // of the origin that is lost
		denied bool         // its credentials may do nothing
		broken string       // options for the broken origin
		result string       // what the log says of it; "" is that it isn't there
		asked  int          // how many of the requests it may cost time; the others skip it
	}{
		{name: "missing", result: "not_exist", asked: requests},
		{name: "denied", denied: true, result: "denied", asked: requests},
		{name: "refused", fault: faults.Refuse(), broken: "breaker 1 1h", result: "unreachable", asked: 1},
		{name: "black hole", fault: faults.BlackHole(), result: "timeout", asked: 1},
		{name: "silent", fault: faults.Hang(), result: "timeout", asked: 1},
		{name: "slow", fault: faults.Latency(3 * time.Second), result: "timeout", asked: 1},
		{name: "drips", fault: faults.Drip(100), result: "timeout", asked: 1},
		{name: "503", fault: faults.Unavailable(0), broken: "breaker 1 1h\nretries 0", result: "unreachable", asked: 1},
	} {
		for _, lost := range []string{"new", "middle"} {
			t.Run(lost+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				m := newMigration(t)
				s3Keys, gcsKey := m.s3.Reader, m.gcs.KeyFile
				var s3Options, gcsOptions string
				proxy, want := m.s3Faults, fromGCS
				if lost == "new" {
					s3Options = tt.broken
					if tt.denied {
						s3Keys = m.s3.Stranger
					}
				} else {
					gcsOptions = tt.broken
					proxy, want = m.gcsFaults, fromWeb
					if tt.denied {
						gcsKey = m.gcs.Stranger()
					}
				}
				// The lost origin has the pictures too, unless they are missing there: a fault hides them.
				inLost := tt.name != "missing"
				paths := m.put("p", requests, lost == "new" && inLost, lost == "new" || inLost)
				s := startSite(t, m.options(s3Keys, gcsKey, s3Options, gcsOptions))
				if tt.fault.String() != "none" {
					proxy.Set(tt.fault)
				}
				for _, path := range paths {
					if width, height := s.picture(path); [2]int{width, height} != want {
						t.Errorf("%s: got %dx%d, want %v", path, width, height, want)
					}
				}
				asked, skipped := 0, 0
				for _, entry := range s.logged("origin failed") {
					if entry["origin"] == lost {
						asked++
						if entry["result"] != tt.result {
							t.Errorf("the log says %v, want %v: %v", entry["result"], tt.result, entry["error"])
						}
					}
				}
				for _, entry := range s.logged("origin skipped") {
					if entry["origin"] == lost {
						skipped++
					}
				}
				if asked != tt.asked || asked+skipped < requests { // a request whose answer broke off skips the origin, too
					t.Errorf("the lost origin was asked %d times and skipped %d times, want %d of %d asked", asked, skipped, tt.asked, requests)
				}
				degraded := tt.name != "missing"
				if got := s.get(paths[0]).header.Get("Cache-Control"); strings.Contains(got, "max-age=60") != degraded {
					t.Errorf("Cache-Control is %q, degraded: %v", got, degraded)
				}
			})
		}
	}
}

// TestSkippedOriginComesBack lets an origin recover: a probe finds out.
func TestSkippedOriginComesBack(t *testing.T) {
	m := newMigration(t)
	paths := m.put("p", 1, true, false)
	s := startSite(t, m.options(m.s3.Reader, m.gcs.KeyFile, "breaker 1 200ms", ""))
	m.s3Faults.Set(faults.BlackHole())
	if width, height := s.picture(paths[0]); [2]int{width, height} != fromWeb {
		t.Errorf("got %dx%d while the store is down, want %v", width, height, fromWeb)
	}
	m.s3Faults.Heal()
	eventually(t, "the picture comes from the recovered store", func() bool {
		width, height := s.picture(paths[0])
		return [2]int{width, height} == fromS3
	})
	if n := len(s.logged("origin keeps failing and is skipped")); n == 0 {
		t.Error("the log doesn't tell that the origin is skipped")
	}
	if n := len(s.logged("origin answers again")); n != 1 {
		t.Errorf("the log tells %d times that the origin answers again, want once", n)
	}
}
