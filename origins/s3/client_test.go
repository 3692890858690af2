package s3

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/imageorigin/imageorigin/origins"
)

func TestNewKeysAreUsedAtTheNextRequest(t *testing.T) {
	f := newFake(t, map[string][]byte{"a.jpg": []byte("a")}, false)
	var now atomic.Pointer[Keys]
	now.Store(&Keys{AccessKey: rightKeys.AccessKey, SecretKey: "wrong"})
	o := f.origin(t, func(c *Config) { c.Keys = func() Keys { return *now.Load() } })
	refusedAs(t, o, origins.Request{Key: "a.jpg"})
	now.Store(&rightKeys)
	fetch(t, o, origins.Request{Key: "a.jpg"})
	now.Store(&roleKeys)
	fetch(t, o, origins.Request{Key: "a.jpg"})
	if got := f.last(t).Header.Get("X-Amz-Security-Token"); got != roleKeys.SessionToken {
		t.Errorf("the token is %q", got)
	}
}

func TestKeysNeverPrintThemselves(t *testing.T) {
	holdsNoSecret(t, fmt.Sprintf("%v %+v %#v %s", roleKeys, roleKeys, roleKeys, &roleKeys))
}

// fakeSTS is a fake that gives roleKeys to whoever has rightKeys.
type fakeSTS struct {
	mu      sync.Mutex
	asked   []string // the access keys
	form    map[string][]string
	expires time.Duration
	refuse  string // the code of an error
}

func (s *fakeSTS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	credential, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="), "/")
	r.ParseForm()
	s.asked, s.form = append(s.asked, credential), r.Form
	if s.refuse != "" {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>hunter2</Message></Error></ErrorResponse>`, s.refuse)
		return
	}
	fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials>`+
		`<AccessKeyId>%[2]s</AccessKeyId><SecretAccessKey>%[3]s</SecretAccessKey><SessionToken>%[4]s</SessionToken><Expiration>%[5]s</Expiration>`+
		`</Credentials></%[1]sResult></%[1]sResponse>`,
		r.Form.Get("Action"), roleKeys.AccessKey, roleKeys.SecretKey, roleKeys.SessionToken, time.Now().Add(s.expires).UTC().Format(time.RFC3339))
}

// startSTS makes the SDK ask s.
func startSTS(t *testing.T, s *fakeSTS) {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_STS", server.URL)
}

const role = "arn:aws:iam::123456789012:role/pictures"

func TestARoleIsAssumedOnceForEachVersionOfTheKeys(t *testing.T) {
	quiet(t)
	s := &fakeSTS{expires: time.Hour}
	startSTS(t, s)
	for _, endpoint := range []string{"", "http://store.test:9000"} {
		f := newFake(t, map[string][]byte{"a.jpg": []byte("a")}, endpoint == "")
		var now atomic.Pointer[Keys]
		now.Store(&rightKeys)
		o := f.origin(t, func(c *Config) {
			c.Endpoint, c.RoleARN, c.ExternalID = endpoint, role, "partner"
			c.Keys = func() Keys { return *now.Load() }
		})
		for range 3 {
			fetch(t, o, origins.Request{Key: "a.jpg", From: "imagekit"})
		}
		now.Store(&otherKeys)
		for range 3 {
			fetch(t, o, origins.Request{Key: "a.jpg"})
		}
		if got := f.last(t).Header.Get("X-Amz-Security-Token"); got != roleKeys.SessionToken {
			t.Errorf("the store got the token %q", got)
		}
		if want := []string{rightKeys.AccessKey, otherKeys.AccessKey}; fmt.Sprint(s.asked) != fmt.Sprint(want) {
			t.Errorf("STS was asked by %v, want %v", s.asked, want)
		}
		for name, want := range map[string]string{"RoleArn": role, "ExternalId": "partner", "RoleSessionName": "imageorigin"} {
			if got := s.form[name]; len(got) != 1 || got[0] != want {
				t.Errorf("STS got %s %q, want %q", name, got, want)
			}
		}
		s.asked = nil
	}
}

func TestARoleIsAssumedAgainBeforeItsKeysEnd(t *testing.T) {
	quiet(t)
	s := &fakeSTS{expires: 30 * time.Second} // too soon for a request that is under way
	startSTS(t, s)
	f := newFake(t, map[string][]byte{"a.jpg": []byte("a")}, false)
	o := f.origin(t, func(c *Config) { c.RoleARN = role })
	fetch(t, o, origins.Request{Key: "a.jpg"})
	fetch(t, o, origins.Request{Key: "a.jpg"})
	if len(s.asked) != 2 {
		t.Errorf("STS was asked %d times, want 2", len(s.asked))
	}
}

func TestARoleThatIsRefusedIsNoMissingFile(t *testing.T) {
	quiet(t)
	f := newFake(t, map[string][]byte{"a.jpg": []byte("a")}, false)
	for _, tt := range []struct{ code, remedy string }{
		{"AccessDenied", "allow sts:AssumeRole on " + role},
		{"InvalidClientTokenId", "correct access_key"},
		{"SignatureDoesNotMatch", "correct secret_key"},
		{"ExpiredToken", "renew the temporary keys"},
	} {
		startSTS(t, &fakeSTS{refuse: tt.code})
		e := refusedAs(t, f.origin(t, func(c *Config) { c.RoleARN = role }), origins.Request{Key: "a.jpg"})
		if e.Kind != origins.Denied || e.Hidden || !strings.Contains(e.Error(), "there are no credentials: STS answers 403 "+tt.code) || !strings.Contains(e.Remedy, tt.remedy) {
			t.Errorf("%s: got %v; %s", tt.code, e, e.Remedy)
		}
	}
	if n := len(f.seen()); n != 0 {
		t.Errorf("%d requests reached the store", n)
	}
}

func TestAnSTSThatIsOutOfReachIsUnreachable(t *testing.T) {
	quiet(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", gone.URL)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	f := newFake(t, nil, false)
	e := refusedAs(t, f.origin(t, func(c *Config) { c.RoleARN = role }), origins.Request{Key: "a.jpg"})
	if e.Kind != origins.Unreachable || e.Remedy != "let this machine reach STS in region eu-west-1" {
		t.Errorf("got %v; %s", e, e.Remedy)
	}
}

func TestNobodyIsWaitedForWithoutEndForCredentials(t *testing.T) {
	quiet(t)
	sdk, err := Config{Region: "eu-west-1", RoleARN: role}.load(t.Context(), rightKeys)
	if err != nil {
		t.Fatal(err)
	}
	client, ok := sdk.HTTPClient.(*awshttp.BuildableClient) // of which the SDK makes those for metadata services
	if !ok || client.GetTimeout() <= 0 || client.GetTimeout() > 30*time.Second {
		t.Errorf("credentials are asked for by %T", sdk.HTTPClient)
	}
}

// writeRole answers as the metadata services of containers and machines do.
func writeRole(w http.ResponseWriter, _ *http.Request) {
	json.NewEncoder(w).Encode(map[string]string{
		"Code": "Success", "AccessKeyId": roleKeys.AccessKey, "SecretAccessKey": roleKeys.SecretKey, "Token": roleKeys.SessionToken,
		"Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	})
}

func TestTheDefaultChainIsAsked(t *testing.T) {
	f := newFake(t, map[string][]byte{"a.jpg": []byte("a")}, false)
	secure := newFake(t, map[string][]byte{"a.jpg": []byte("a")}, true)
	container := httptest.NewServer(http.HandlerFunc(writeRole))
	defer container.Close()
	machine := http.NewServeMux()
	machine.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
		fmt.Fprint(w, "token")
	})
	machine.HandleFunc("GET /latest/meta-data/iam/security-credentials/{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "pictures") })
	machine.HandleFunc("GET /latest/meta-data/iam/security-credentials/pictures", writeRole)
	metadata := httptest.NewServer(machine)
	defer metadata.Close()
	sts := httptest.NewServer(&fakeSTS{expires: time.Hour})
	defer sts.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("invented.token.hunter6"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "credentials")
	content := fmt.Sprintf("[shop]\naws_access_key_id = %s\naws_secret_access_key = %s\n", rightKeys.AccessKey, rightKeys.SecretKey)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name        string
		environment map[string]string
	}{
		{"environment", map[string]string{"AWS_ACCESS_KEY_ID": rightKeys.AccessKey, "AWS_SECRET_ACCESS_KEY": rightKeys.SecretKey}},
		{"shared file", map[string]string{"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_PROFILE": "shop"}},
		{"role of a container", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": container.URL}},
		{"role of a machine", map[string]string{"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.URL}},
		{"web identity", map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": role, "AWS_ENDPOINT_URL_STS": sts.URL}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			quiet(t)
			for name, value := range tt.environment {
				t.Setenv(name, value)
			}
			fetch(t, f.origin(t, func(c *Config) { c.Keys = nil }), origins.Request{Key: "a.jpg"})
			fetch(t, secure.origin(t, func(c *Config) { c.Keys, c.Endpoint = nil, "" }), origins.Request{Key: "a.jpg"})
		})
	}
}

func TestMissingCredentialsAreTold(t *testing.T) {
	f := newFake(t, nil, false)
	for _, tt := range []struct{ name, profile, file, cause, remedy string }{
		{"none anywhere", "", "", "there are no credentials", "set access_key and secret_key, or give this machine a role"},
		{"no such profile", "absent", "", `the SDK can't be set up: there is no profile "absent" in its shared files`, "correct AWS_PROFILE"},
		{"a half", "", "[default]\naws_access_key_id = hunter2\n", "the SDK can't be set up", "correct the AWS_… variables of the environment"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			quiet(t)
			t.Setenv("AWS_PROFILE", tt.profile)
			if err := os.WriteFile(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			e := refusedAs(t, f.origin(t, func(c *Config) { c.Keys = nil }), origins.Request{Key: "a.jpg"})
			if e.Kind != origins.Denied || e.Hidden || !strings.Contains(e.Err.Error(), tt.cause) || !strings.Contains(e.Remedy, tt.remedy) {
				t.Errorf("got %v; %s", e, e.Remedy)
			}
		})
	}
}

func TestAMetadataServiceThatIsOutOfReachIsUnreachable(t *testing.T) {
	quiet(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", gone.URL)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	f := newFake(t, nil, false)
	e := refusedAs(t, f.origin(t, func(c *Config) { c.Keys = nil }), origins.Request{Key: "a.jpg"})
	if e.Kind != origins.Unreachable || !strings.Contains(e.Remedy, "set access_key and secret_key, or give this machine a role") {
		t.Errorf("got %v; %s", e, e.Remedy)
	}
}

func TestCredentialsAreLookedForAgain(t *testing.T) {
	quiet(t)
	f := newFake(t, map[string][]byte{"a.jpg": []byte("a")}, false)
	t.Setenv("AWS_PROFILE", "shop")
	o := f.origin(t, func(c *Config) { c.Keys = nil })
	refusedAs(t, o, origins.Request{Key: "a.jpg"})
	content := fmt.Sprintf("[shop]\naws_access_key_id = %s\naws_secret_access_key = %s\n", rightKeys.AccessKey, rightKeys.SecretKey)
	if err := os.WriteFile(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	fetch(t, o, origins.Request{Key: "a.jpg"})
}

func TestAMetadataServiceThatIsSilentIsATimeout(t *testing.T) {
	quiet(t)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
	}))
	defer silent.Close()
	defer silent.CloseClientConnections()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", silent.URL)
	f := newFake(t, nil, false)
	start := time.Now()
	o := f.origin(t, func(c *Config) { c.Keys = nil })
	if took := time.Since(start); took > time.Second {
		t.Errorf("New took %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := o.Open(ctx, origins.Request{Key: "a.jpg"})
	e, ok := err.(*origins.Error)
	if !ok || e.Kind != origins.Timeout || !strings.Contains(e.Remedy, "set access_key and secret_key") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("Open took %v", took)
	}
	// The SDK has an end of its own, after 5 s: nobody answered, so nobody refused.
	if e := refusedAs(t, o, origins.Request{Key: "a.jpg"}); e.Kind != origins.Timeout {
		t.Errorf("without a deadline: got %v", e)
	}
}

func TestEndpointsOfTheEnvironmentAreAmazonsOnly(t *testing.T) {
	quiet(t)
	f := newFake(t, map[string][]byte{"a.jpg": []byte("a")}, false)
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_ENDPOINT_URL", "")
			os.Unsetenv("AWS_ENDPOINT_URL_S3")
			t.Setenv(name, "http://other.test:1")
			f.answer = func(w http.ResponseWriter, _ *http.Request) {}
			for _, tt := range []struct{ endpoint, want string }{
				{"", "pictures.other.test:1"},
				{"http://store.test:9000", "pictures.store.test:9000"},
			} {
				fetch(t, f.origin(t, func(c *Config) { c.Endpoint = tt.endpoint }), origins.Request{Key: "a.jpg"})
				if got := f.last(t).Host; got != tt.want {
					t.Errorf("endpoint %q: asked %s, want %s", tt.endpoint, got, tt.want)
				}
			}
		})
	}
}

func TestTheSDKWritesNoLog(t *testing.T) {
	quiet(t)
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stderr := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = stderr }()
	for _, endpoint := range []string{"", "http://store.test:9000"} {
		f := newFake(t, nil, endpoint == "")
		f.answer = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "yesterday") // of which the SDK would warn
			fmt.Fprint(w, "a")
		}
		fetch(t, f.origin(t, func(c *Config) { c.Endpoint = endpoint }), origins.Request{Key: "a.jpg"})
	}
	if info, err := file.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("%d bytes were written, %v", info.Size(), err)
	}
}
