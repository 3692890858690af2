package e2e

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/e2e/stores"
)

// The secrets that the origins of these tests are configured with. The stores refuse all of them, so that there is
// something to tell.
const (
	s3Secret   = "invented-s3-secret-0123456789abcdef"
	s3Session  = "invented-session-token-0123456789"
	webPass    = "invented-web-password"
	webToken   = "invented-bearer-token"
	headerKey  = "invented-header-key"
	s3Identity = "AKIAINVENTEDUNKNOWN1"
)

// holders are the origins that have secrets, and the secrets.
type holders struct {
	options func(secret func(name, value string) string) string
	secrets map[string]string // by name, in upper case
}

func newHolders(t *testing.T) holders {
	s3, gcs, azure := stores.S3(t), stores.GCS(t), stores.Azure(t)
	gcs.Disable(true)
	strange := base64.StdEncoding.EncodeToString([]byte("an invented account key, 32 bytes"))
	expired := azure.SAS(time.Now().Add(-time.Hour), sas.ContainerPermissions{Read: true})
	signature, err := url.ParseQuery(expired)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(gcs.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	guarded := faults.Start(t, s3.Addr)
	guarded.Set(faults.Answer(http.StatusForbidden, http.Header{"Content-Type": {"text/html"}}, "no"))
	h := holders{secrets: map[string]string{
		"S3_ID": s3Identity, "S3_SECRET": s3Secret, "S3_SESSION": s3Session, "AZURE_KEY": strange, "AZURE_SAS": expired,
		"WEB_PASS": webPass, "WEB_TOKEN": webToken, "HEADER_KEY": headerKey, "GCS_KEY": field(t, string(key), "private_key"),
		"SAS_SIG": signature.Get("sig"),
	}}
	h.options = func(secret func(name, value string) string) string {
		use := func(name string) string { return secret(name, h.secrets[name]) }
		endpoint := fmt.Sprintf("bucket %s\nendpoint http://%s\nregion %s\npath_style\n", s3.Bucket, s3.Addr, s3.Region)
		container := fmt.Sprintf("account %s\ncontainer %s\nendpoint %s\n", azure.Account, azure.Container, azure.Endpoint(azure.URL))
		google := fmt.Sprintf("bucket %s\nendpoint %s\n", gcs.Bucket, "http://"+gcs.Addr)
		var b strings.Builder
		for name, body := range map[string]string{
			"unknown s3_compatible": endpoint + "access_key " + use("S3_ID") + "\nsecret_key " + use("S3_SECRET"),
			"wrong s3_compatible":   endpoint + "access_key " + s3.Reader.Access + "\nsecret_key " + use("S3_SECRET"),
			"session s3_compatible": endpoint + "access_key " + use("S3_ID") + "\nsecret_key " + use("S3_SECRET") + "\nsession_token " + use("S3_SESSION"),
			"file gcs":              google + "credentials_file " + gcs.KeyFile,
			"pem gcs":               google + "client_email " + gcs.Email + "\nprivate_key " + use("GCS_KEY") + "\ntoken_uri " + field(t, string(key), "token_uri"),
			"key azure":             container + "account_key " + use("AZURE_KEY"),
			"sas azure":             container + "sas_token " + use("AZURE_SAS"),
			"basic web":             "BASE " + guarded.URL() + "\nauth basic someone " + use("WEB_PASS"),
			"bearer web":            "BASE " + guarded.URL() + "\nauth bearer " + use("WEB_TOKEN") + "\nheader X-Api-Key " + use("HEADER_KEY"),
		} {
			base := ""
			if rest, ok := strings.CutPrefix(body, "BASE "); ok {
				base, body, _ = strings.Cut(rest, "\n")
			}
			id, _, _ := strings.Cut(name, " ")
			fmt.Fprintf(&b, "origin %s %s {\n%s\n}\nendpoint %s {\norigins %s\n}\n", name, base, body, id, id)
		}
		return b.String()
	}
	return h
}

// field returns a field of a key file as it is written there: the line breaks of a private key are two characters each.
func field(t *testing.T, file, name string) string {
	t.Helper()
	_, rest, _ := strings.Cut(file, `"`+name+`":`)
	_, rest, _ = strings.Cut(rest, `"`)
	value, _, ok := strings.Cut(rest, `"`)
	if !ok || value == "" {
		t.Fatalf("the key file has no %s", name)
	}
	return value
}

// traces returns the texts by which a secret would be recognised.
func (h holders) traces() map[string]string {
	traces := map[string]string{}
	for name, value := range h.secrets {
		traces[name] = value
		traces[name+", escaped"] = url.QueryEscape(value)
	}
	delete(traces, "S3_ID") // an access key's id is no secret; it is looked for where it stands in {env.*}
	delete(traces, "S3_ID, escaped")
	pem := h.secrets["GCS_KEY"]
	traces["the middle of GCS_KEY"] = pem[len(pem)/2 : len(pem)/2+40]
	traces["basic credentials"] = base64.StdEncoding.EncodeToString([]byte("someone:" + webPass))
	return traces
}

// ask asks every endpoint, for a file and a picture, and returns all that a visitor gets to see.
func (h holders) ask(t *testing.T, s *site) string {
	t.Helper()
	var seen strings.Builder
	for _, name := range []string{"unknown", "wrong", "session", "file", "pem", "key", "sas", "basic", "bearer"} {
		for _, path := range []string{"/" + name + "/a.jpg", "/" + name + "/tr:w-100/b.jpg"} {
			r := s.get(path)
			if r.err != nil || r.status != http.StatusNotFound || !strings.HasPrefix(r.header.Get("ik-error"), "EACCES - ") {
				t.Errorf("%s: got %d %q, %v; want a refusal", path, r.status, r.header.Get("ik-error"), r.err)
			}
			fmt.Fprintln(&seen, r.header, string(r.body))
		}
	}
	return seen.String()
}

// expose fails the test for each trace in what is called so.
func expose(t *testing.T, traces map[string]string, where, text string) {
	t.Helper()
	if len(text) < 100 {
		t.Errorf("%s is too short to say anything: %q", where, text)
	}
	for name, trace := range traces {
		if i := strings.Index(text, trace); i >= 0 {
			t.Errorf("%s holds %s: …%.60s", where, name, text[max(0, i-60):i])
		}
	}
}

func (s *site) configs() map[string]string {
	s.t.Helper()
	resp, err := http.Get(s.admin + "/config/")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	config, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	saved, err := os.ReadFile(filepath.Join(s.dir, ".config", "caddy", "autosave.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	return map[string]string{"the config endpoint": string(config), "the autosave": string(saved)}
}

func TestSecretsInPlaceholdersStandNowhere(t *testing.T) {
	h := newHolders(t)
	dir := t.TempDir()
	for _, kind := range []string{"env", "file"} {
		t.Run(kind, func(t *testing.T) {
			var env []string
			s := startSite(t, h.options(func(name, value string) string {
				if kind == "env" {
					env = append(env, "SECRET_"+name+"="+value)
					return "{env.SECRET_" + name + "}"
				}
				file := filepath.Join(dir, strings.ToLower(name))
				if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				return "{file." + file + "}"
			}), secretEnv(h)...)
			visitors := h.ask(t, s)
			traces := h.traces()
			traces["S3_ID"] = s3Identity
			expose(t, traces, "an answer", visitors)
			expose(t, traces, "the log", s.log.String())
			for where, config := range s.configs() {
				expose(t, traces, where, config)
			}
			if strings.Contains(s.log.String(), "stands in the config as it is") {
				t.Error("the log warns of a literal secret")
			}
		})
	}
}

// secretEnv is the environment that {env.SECRET_*} reads.
func secretEnv(h holders) []string {
	var env []string
	for name, value := range h.secrets {
		env = append(env, "SECRET_"+name+"="+value)
	}
	return env
}

func TestLiteralSecretsAreWarnedOfAndNotLogged(t *testing.T) {
	h := newHolders(t)
	s := startSite(t, h.options(func(_, value string) string { return "`" + value + "`" }))
	visitors := h.ask(t, s)
	expose(t, h.traces(), "an answer", visitors)
	expose(t, h.traces(), "the log", s.log.String())
	out, err := exec.Command(caddyBinary, "adapt", "--config", s.file).CombinedOutput()
	if err != nil {
		t.Fatalf("adapt: %v\n%s", err, out)
	}
	warnings := strings.Count(string(out), "stands in the config as it is")
	if want := 10; warnings != want { // every secret, but the key in its file
		t.Errorf("adapt warns %d times of a literal secret, want %d", warnings, want)
	}
}
