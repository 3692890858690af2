package e2e

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/e2e/stores"
)

var updateTried = flag.Bool("update", false, "write what was tried into docs/origins/tried.md")

const triedPage = "../docs/origins/tried.md"

// trial is one way to fail: an origin, and what becomes of its file a.png.
type trial struct {
	what   string
	origin string       // type and options, without name
	fault  faults.Fault // of proxy; the zero value is none
	proxy  *faults.Proxy
	key    string // "" is a.png
}

// trials are those of one store.
type trials struct {
	title  string
	server string
	list   []trial
}

// faults tries what happens on the way to every store. origin returns type and options for the store at an URL.
func (s *trials) faults(t *testing.T, addr string, origin func(base string) string) {
	add := func(what string, fault faults.Fault, more ...string) {
		p := faults.Start(t, addr)
		s.list = append(s.list, trial{what: what, origin: origin(p.URL()) + "\n" + strings.Join(more, "\n"), fault: fault, proxy: p})
	}
	add("connection refused", faults.Refuse())
	add("connection not answered (black hole)", faults.BlackHole())
	add("no answer", faults.Hang())
	add("an answer of 100 bytes a second", faults.Drip(100))
	add("connection reset before the headers, once", faults.Reset().Times(1))
	add("connection reset before the headers, always", faults.Reset())
	add("connection reset in mid-body, once", faults.ResetInBody(100).Times(1))
	add("connection reset in mid-body, always", faults.ResetInBody(100))
	add("body shorter than its Content-Length, once", faults.Truncate(100).Times(1))
	add("body shorter than its Content-Length, always", faults.Truncate(100))
	add("503, twice", faults.Unavailable(0).Times(2))
	add("503, always", faults.Unavailable(0))
	add("503 with Retry-After: 60", faults.Unavailable(time.Minute))
	add("500, once", faults.Answer(500, http.Header{"Content-Type": {"text/plain"}}, "no").Times(1))
	add("500, always", faults.Answer(500, http.Header{"Content-Type": {"text/plain"}}, "no"))
	p := faults.Start(t, addr)
	s.list = append(
		s.list,
		trial{what: "certificate of an unknown authority", origin: origin(p.SecureURL())},
		trial{what: "certificate for another name", origin: origin(p.SecureURL()) + "\ntls_ca " + p.CAFile() + "\ntls_server_name www.example.com"},
		trial{what: "no TLS where https is asked", origin: origin("https://" + addr)},
		trial{what: "a host without a DNS name", origin: origin("http://no-such-host.invalid")},
	)
}

// answer tries what a store answers that the server here does not: it is as the store documents it.
func (s *trials) answer(t *testing.T, addr, what string, status int, header http.Header, body string, origin func(base string) string) {
	p := faults.Start(t, addr)
	s.list = append(s.list, trial{what: what + " *", origin: origin(p.URL()), fault: faults.Answer(status, header, body), proxy: p})
}

func s3Trials(t *testing.T, content []byte) trials {
	b := stores.S3(t)
	b.Put("a.png", content, "image/png", "")
	s := trials{title: "S3", server: "Versity S3 gateway 1.8.0"}
	with := func(base, bucket, region string, keys stores.Keys, more ...string) string {
		return fmt.Sprintf("s3_compatible {\nbucket %s\nendpoint %s\nregion %s\npath_style\naccess_key %s\nsecret_key %s\n%s",
			bucket, base, region, keys.Access, keys.Secret, strings.Join(more, "\n"))
	}
	good := func(base string) string { return with(base, b.Bucket, b.Region, b.Reader) }
	s.list = []trial{
		{what: "all is well", origin: good(b.URL)},
		{what: "missing key", origin: good(b.URL), key: "missing.png"},
		{what: "missing bucket", origin: with(b.URL, "no-such-bucket", b.Region, b.Reader)},
		{what: "wrong secret key", origin: with(b.URL, b.Bucket, b.Region, stores.Keys{Access: b.Reader.Access, Secret: "invented"})},
		{what: "unknown access key", origin: with(b.URL, b.Bucket, b.Region, stores.Keys{Access: "AKIAINVENTEDNOBODY", Secret: "invented"})},
		{what: "no right to read", origin: with(b.URL, b.Bucket, b.Region, b.Stranger)},
		{what: "403 for a missing key, with missing_on_denied", origin: with(b.URL, b.Bucket, b.Region, b.Stranger, "missing_on_denied"), key: "missing.png"},
		{what: "wrong secret key, with missing_on_denied", origin: with(b.URL, b.Bucket, b.Region, stores.Keys{Access: b.Reader.Access, Secret: "invented"}, "missing_on_denied")},
		{what: "wrong region", origin: with(b.URL, b.Bucket, "us-west-2", b.Reader)},
	}
	document := func(code string) (http.Header, string) {
		return http.Header{"Content-Type": {"application/xml"}, "Date": {time.Now().Add(-3 * time.Hour).UTC().Format(http.TimeFormat)}},
			`<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + code + `</Code><Message>invented</Message></Error>`
	}
	for _, a := range []struct {
		what, code string
		status     int
	}{
		{"expired token", "ExpiredToken", 400},
		{"clock skew", "RequestTimeTooSkewed", 403},
		{"throttled", "SlowDown", 503},
		{"archived object", "InvalidObjectState", 403},
	} {
		header, body := document(a.code)
		s.answer(t, b.Addr, a.what, a.status, header, body, good)
	}
	s.faults(t, b.Addr, good)
	return s
}

func gcsTrials(t *testing.T, content []byte) trials {
	b := stores.GCS(t)
	hidden, retired := stores.GCS(t), stores.GCS(t)
	for _, bucket := range []*stores.GCSStore{b, hidden, retired} {
		bucket.Put("a.png", content, "image/png", "")
	}
	hidden.HideMissing()
	retired.Disable(true)
	s := trials{title: "Google Cloud Storage", server: "fake-gcs-server 1.56.1, behind a gate that checks tokens"}
	with := func(base, bucket, credentials string) string {
		return fmt.Sprintf("gcs {\nbucket %s\nendpoint %s\n%s", bucket, base, credentials)
	}
	good := func(base string) string { return with(base, b.Bucket, "credentials_file "+b.KeyFile) }
	s.list = []trial{
		{what: "all is well", origin: good(b.URL)},
		{what: "missing key", origin: good(b.URL), key: "missing.png"},
		{what: "missing bucket", origin: with(b.URL, "no-such-bucket", "credentials_file "+b.KeyFile)},
		{what: "no right to read", origin: with(b.URL, b.Bucket, "credentials_file "+b.Stranger())},
		{what: "403 for a missing key, with missing_on_denied", origin: with(b.URL, hidden.Bucket, "missing_on_denied\ncredentials_file "+hidden.KeyFile), key: "missing.png"},
		{what: "disabled service account", origin: with(b.URL, retired.Bucket, "credentials_file "+retired.KeyFile)},
		{what: "no credentials for a private bucket", origin: with(b.URL, b.Bucket, "anonymous")},
	}
	header := http.Header{"Content-Type": {"application/json"}}
	for _, a := range []struct {
		what, reason string
		status       int
	}{
		{"token not accepted", "authError", 401},
		{"throttled", "rateLimitExceeded", 429},
		{"billing account closed", "accountDisabled", 403},
	} {
		body := fmt.Sprintf(`{"error":{"code":%d,"message":"invented","errors":[{"domain":"global","reason":%q,"message":"invented"}]}}`, a.status, a.reason)
		s.answer(t, b.Addr, a.what, a.status, header, body, good)
	}
	s.faults(t, b.Addr, good)
	return s
}

func azureTrials(t *testing.T, content []byte) trials {
	b := stores.Azure(t)
	b.Put("a.png", content, "image/png", "")
	s := trials{title: "Azure Blob", server: "Azurite 3.37.0"}
	with := func(base, container, credentials string) string {
		return fmt.Sprintf("azure {\naccount %s\ncontainer %s\nendpoint %s\n%s", b.Account, container, b.Endpoint(base), credentials)
	}
	token := func(left time.Duration) string {
		return fmt.Sprintf("sas_token %q", b.SAS(time.Now().Add(left), sas.ContainerPermissions{Read: true}))
	}
	good := func(base string) string { return with(base, b.Container, token(time.Hour)) }
	s.list = []trial{
		{what: "all is well, with a SAS", origin: good(b.URL)},
		{what: "all is well, with the account key", origin: with(b.URL, b.Container, fmt.Sprintf("account_key %q", b.Key))},
		{what: "missing blob", origin: good(b.URL), key: "missing.png"},
		{what: "missing container", origin: with(b.URL, "no-such-container", fmt.Sprintf("account_key %q", b.Key))},
		{what: "wrong account key", origin: with(b.URL, b.Container, "account_key aW52ZW50ZWQgYWNjb3VudCBrZXkgb2YgMzIgYnl0ZXM=")},
		{what: "expired SAS", origin: with(b.URL, b.Container, token(-time.Hour))},
		{what: "no credentials for a private container", origin: with(b.URL, b.Container, "anonymous")},
	}
	for _, a := range []struct {
		what, code string
		status     int
	}{
		{"clock skew or wrong signature", "AuthenticationFailed", 403},
		{"SAS or role without the right to read", "AuthorizationPermissionMismatch", 403},
		{"throttled", "ServerBusy", 503},
		{"archived blob", "BlobArchived", 409},
	} {
		header := http.Header{
			"Content-Type": {"application/xml"}, "X-Ms-Error-Code": {a.code},
			"Date": {time.Now().Add(-3 * time.Hour).UTC().Format(http.TimeFormat)},
		}
		body := `<?xml version="1.0" encoding="utf-8"?><Error><Code>` + a.code + `</Code><Message>invented</Message></Error>`
		s.answer(t, b.Addr, a.what, a.status, header, body, good)
	}
	s.faults(t, b.Addr, good)
	return s
}

func webTrials(t *testing.T, content []byte) trials {
	n := stores.Nginx(t, t.TempDir())
	n.Put("a.png", content, "", "")
	s := trials{title: "A web server", server: "nginx 1.22"}
	good := func(base string) string { return "web " + base + " {" }
	s.list = []trial{
		{what: "all is well", origin: good(n.URL)},
		{what: "missing file", origin: good(n.URL), key: "missing.png"},
	}
	for _, a := range []struct {
		what   string
		status int
	}{{"401", 401}, {"403", 403}, {"410", 410}, {"429", 429}, {"a redirect to another host", 302}} {
		s.answer(t, n.Addr, a.what, a.status, http.Header{"Content-Type": {"text/html"}, "Location": {"http://other.example.com/a.png"}}, "no", good)
	}
	s.faults(t, n.Addr, good)
	return s
}

// TestTriedPageIsTrue tries everything that the page says was tried, and compares.
func TestTriedPageIsTrue(t *testing.T) {
	content := pngOf(t, 300, 300)
	var page strings.Builder
	page.WriteString(triedIntro)
	for _, setUp := range []func(*testing.T, []byte) trials{s3Trials, gcsTrials, azureTrials, webTrials} {
		page.WriteString(setUp(t, content).table(t))
	}
	if *updateTried {
		if err := os.WriteFile(triedPage, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	recorded, err := os.ReadFile(triedPage)
	if err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(string(recorded), "\n"), strings.Split(page.String(), "\n")
	for i := range max(len(want), len(got)) {
		if line := slices.Concat(want, make([]string, len(got))); i >= len(got) || line[i] != got[i] {
			t.Errorf("line %d of %s:\ngot  %s\nwant %s", i+1, triedPage, append(got, make([]string, len(want))...)[i], line[i])
		}
	}
}

const triedIntro = `# What was tried

Each row was tried with the built binary against the server that stands for the store, by ` + "`e2e/tried_test.go`" + `, which compares this page with what
it finds (` + "`cd e2e && go test -run TriedPage -update .`" + ` writes it anew). The visitor asks an endpoint with this one origin and ` + "`error_status native`" + `;
with ` + "`imagekit`" + `, the default, every failure is a 404 with the same ` + "`ik-error`" + `. With another origin behind it, the visitor gets the picture from there.
The origins have ` + "`timeout 1s`" + `, ` + "`connect_timeout 300ms`" + `, ` + "`breaker off`" + ` and the default ` + "`retries 2`" + `.

A * marks answers that the server here never gives: they are as the store documents them. How much time a wait takes, and what follows in a
breaker's window, is in [README.md](README.md#an-origin-that-keeps-failing).
`

// table tries all and returns what came of it.
func (s trials) table(t *testing.T) string {
	t.Helper()
	var options strings.Builder
	for i, tr := range s.list {
		fmt.Fprintf(&options, "origin o%d %s\ntimeout 1s\nconnect_timeout 300ms\nbreaker off\n}\nendpoint e%d {\norigins o%d\nerror_status native\nresults off\n}\n", i, tr.origin, i, i)
	}
	site := startSite(t, options.String())
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n| What happens | The visitor gets | The log says | Remedy in the log |\n|---|---|---|---|\n", s.title, s.server)
	for i, tr := range s.list {
		if tr.proxy != nil {
			tr.proxy.Set(tr.fault)
		}
		key := tr.key
		if key == "" {
			key = "a.png"
		}
		r := site.get(fmt.Sprintf("/e%d/tr:w-20/%s", i, key))
		if r.err != nil {
			t.Errorf("%s: %s: %v", s.title, tr.what, r.err)
		}
		answer := fmt.Sprint(r.status)
		if r.status == http.StatusOK {
			if width, _, _, err := measure(r.body); err != nil || width != 20 {
				t.Errorf("%s: %s: got %d wide, %v", s.title, tr.what, width, err)
			}
			answer = "the picture"
		} else if code, _, ok := strings.Cut(r.header.Get("ik-error"), " - "); ok {
			answer += " `" + code + "`"
		}
		level, result, remedy := site.verdict(fmt.Sprintf("o%d", i))
		fmt.Fprintf(&b, "| %s | %s | %s `%s` | %s |\n", tr.what, answer, level, result, remedy)
	}
	return b.String()
}

// verdict returns what the log says last about an origin: at which level, which kind, and the remedy, in which names
// that are new with each run are replaced.
func (s *site) verdict(origin string) (level, result, remedy string) {
	s.t.Helper()
	eventually(s.t, "the log tells of "+origin, func() bool {
		for _, entry := range slices.Concat(s.logged("origin asked"), s.logged("origin failed")) {
			if entry["origin"] == origin {
				level, result = fmt.Sprint(entry["level"]), fmt.Sprint(entry["result"])
				remedy, _ = entry["remedy"].(string)
			}
		}
		return level != ""
	})
	return level, result, stable(remedy)
}

// The parts of a remedy that are new with each run.
var (
	newName = regexp.MustCompile(`test-[a-z0-9]{12}`)
	newDate = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC`)
	newTime = regexp.MustCompile(`\b(\d+h)\d+m\d+s\b`)
)

// stable returns text without them.
func stable(text string) string {
	text = newName.ReplaceAllString(text, "pictures")
	text = newDate.ReplaceAllString(text, "…")
	return newTime.ReplaceAllString(text, "$1")
}
