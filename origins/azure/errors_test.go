package azure

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// answering returns what answers each request so.
func answering(status int, code string, header ...string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		refuse(w, status, code)
		return true
	}
}

func TestFailuresOfTheStoreAreClassified(t *testing.T) {
	for _, tt := range []struct {
		name      string
		change    func(*Config)
		status    int
		code      string
		want      origins.Kind
		transient bool
		remedy    string // a part of it; "" is none
	}{
		{"no such blob", withKey, 404, "BlobNotFound", origins.NotExist, false, ""},
		{"no such thing", withKey, 404, "ResourceNotFound", origins.NotExist, false, "correct account or endpoint"},
		{"no such thing for everybody", nobody, 404, "ResourceNotFound", origins.NotExist, false, `container "pictures" is missing or not public`},
		{"no such container", withKey, 404, "ContainerNotFound", origins.Unknown, false, `no container "pictures"`},
		{"a container that goes", withKey, 409, "ContainerBeingDeleted", origins.Unknown, false, "being deleted"},
		{"a name that no blob has", withKey, 400, "InvalidUri", origins.NotExist, false, ""},
		{"another name that no blob has", withKey, 400, "InvalidResourceName", origins.NotExist, false, ""},
		{"wrong key", withKey, 403, "AuthenticationFailed", origins.Denied, false, `key1 or key2 of storage account "imgacct"`},
		{"wrong SAS", withSAS, 403, "AuthenticationFailed", origins.Denied, false, "put a new SAS"},
		{"firewall", withKey, 403, "AuthorizationFailure", origins.Denied, false, "network rules"},
		{"not public, says an emulator", nobody, 403, "AuthorizationFailure", origins.Denied, false, `container "pictures" is not public`},
		{"SAS with too little", withSAS, 403, "AuthorizationPermissionMismatch", origins.Denied, false, "sp=r"},
		{"SAS for other addresses", withSAS, 403, "AuthorizationSourceIPMismatch", origins.Denied, false, "address of this machine"},
		{"SAS for https", withSAS, 403, "AuthorizationProtocolMismatch", origins.Denied, false, "https"},
		{"SAS for other things", withSAS, 403, "AuthorizationResourceTypeMismatch", origins.Denied, false, "srt=o"},
		{"not public", nobody, 401, "NoAuthenticationInformation", origins.Denied, false, "read by everybody"},
		{"nothing is public", nobody, 409, "PublicAccessNotPermitted", origins.Denied, false, "read by everybody"},
		{"no keys here", withKey, 403, "KeyBasedAuthenticationNotPermitted", origins.Denied, false, "user delegation SAS"},
		{"a malformed header", withKey, 400, "InvalidAuthenticationInfo", origins.Denied, false, "key1 or key2"},
		{"nobody pays", withKey, 403, "AccountIsDisabled", origins.Denied, false, "subscription"},
		{"rights of the account", withSAS, 403, "InsufficientAccountPermissions", origins.Denied, false, "sp=r"},
		{"archived", withKey, 409, "BlobArchived", origins.Unknown, false, "rehydrate"},
		{"being rehydrated", withKey, 409, "BlobBeingRehydrated", origins.Unknown, false, "hours"},
		{"encrypted by its owner", withKey, 409, "BlobUsesCustomerSpecifiedEncryption", origins.Unknown, false, "key of its own"},
		{"busy", withKey, 503, "ServerBusy", origins.Unreachable, true, ""},
		{"slow", withKey, 500, "OperationTimedOut", origins.Timeout, true, ""},
		{"broken", withKey, 500, "InternalError", origins.Unknown, true, ""},
		{"no such range", withKey, 416, "InvalidRange", origins.Invalid, false, ""},
		{"another version", withKey, 412, "ConditionNotMet", origins.Unknown, false, "replaced while it was read"},
		{"an old store", withKey, 400, "InvalidHeaderValue", origins.Unknown, false, "--skipApiVersionCheck"},
		{"a conflict", withKey, 409, "LeaseAlreadyPresent", origins.Unknown, false, ""},
		{"not modified, unasked", withKey, 304, "ConditionNotMet", origins.Unknown, false, ""},
		{"an empty success", withKey, 204, "", origins.Unknown, false, ""},
		{"a text for a code", withKey, 403, "hunter2 was here", origins.Denied, false, "is Azure Blob Storage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, server := newStore(t, nil)
			s.override = answering(tt.status, tt.code)
			e := fails(t, originAt(t, server, tt.change), origins.Request{Key: "a.jpg"})
			if e.Kind != tt.want || e.Transient != tt.transient || e.Key != "a.jpg" || e.Hidden {
				t.Errorf("got %v, transient %v, hidden %v (%v)", e.Kind, e.Transient, e.Hidden, e)
			}
			general := remote.Complete(&origins.Error{Kind: tt.want}, tt.status).Remedy // where nothing better is known
			if tt.remedy == "" && e.Remedy != general || !strings.Contains(e.Remedy, tt.remedy) {
				t.Errorf("the remedy is %q, want %q in it", e.Remedy, tt.remedy)
			}
			if n := len(s.seen()); n != 1 {
				t.Errorf("the store got %d requests, want one", n)
			}
		})
	}
}

func nobody(c *Config) { c.Anonymous = true }

func TestTheErrorNamesStatusAndCode(t *testing.T) {
	s, server := newStore(t, nil)
	s.override = answering(http.StatusForbidden, "AuthorizationFailure")
	if e := fails(t, originAt(t, server, withKey), origins.Request{Key: "a.jpg"}); e.Err.Error() != "azure answers 403 AuthorizationFailure" {
		t.Errorf("got %q", e.Err)
	}
	s.override = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden) // the code is in the page only
		io.WriteString(w, "<Error><Code>AccountIsDisabled</Code><Message>hunter2</Message></Error>")
		return true
	}
	if e := fails(t, originAt(t, server, withKey), origins.Request{Key: "a.jpg"}); e.Err.Error() != "azure answers 403 AccountIsDisabled" {
		t.Errorf("got %q", e.Err)
	}
}

func TestABusyStoreIsLeftAloneAsLongAsItAsks(t *testing.T) {
	s, server := newStore(t, nil)
	s.override = answering(http.StatusServiceUnavailable, "ServerBusy", "Retry-After", "7")
	if e := fails(t, originAt(t, server, withKey), origins.Request{Key: "a.jpg"}); e.After != 7*time.Second || !e.Transient {
		t.Errorf("after %v, transient %v", e.After, e.Transient)
	}
}

func TestTheClockOrTheTimeOfTheSASIsTold(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		change func(*Config)
		ahead  time.Duration // our clock, of the store's
		code   string
		want   string
	}{
		{"our clock is ahead", withKey, 20 * time.Minute, "AuthenticationFailed", "20m0s ahead"},
		{"our clock is behind", withKey, -20 * time.Minute, "AuthenticationFailed", "20m0s behind"},
		{"our clock is right", withKey, 3 * time.Minute, "AuthenticationFailed", "key1 or key2"},
		{"the clock of a machine with a SAS", withSAS, -time.Hour, "AuthenticationFailed", "1h0m0s behind"},
		{"a clock that doesn't matter", withKey, time.Hour, "AccountIsDisabled", "subscription"},
		{"an expired SAS", sasWith("se=2026-03-04T05%3A06Z"), 0, "AuthenticationFailed", "the SAS expired on 2026-03-04 05:06 UTC"},
		{"an expired SAS at an emulator", sasWith("se=2026-03-01T00:00:00Z"), 0, "AuthorizationFailure", "the SAS expired on 2026-03-01 00:00 UTC"},
		{"a SAS that expired with a day", sasWith("se=2026-03-03"), 0, "AuthenticationFailed", "the SAS expired on 2026-03-03 00:00 UTC"},
		{"a SAS of tomorrow", sasWith("st=2026-03-05&se=2026-03-06"), 0, "AuthenticationFailed", "the SAS is not valid before 2026-03-05 00:00 UTC"},
		{"a SAS that lasts", sasWith("st=2026-03-03&se=2026-03-06"), 0, "AuthenticationFailed", "put a new SAS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, server := newStore(t, nil)
			s.override = answering(http.StatusForbidden, tt.code, "Date", now.Add(-tt.ahead).Format(http.TimeFormat))
			o := originAt(t, server, tt.change)
			o.now = func() time.Time { return now }
			if e := fails(t, o, origins.Request{Key: "a.jpg"}); !strings.Contains(e.Remedy, tt.want) {
				t.Errorf("the remedy is %q, want %q in it", e.Remedy, tt.want)
			}
		})
	}
}

// sasWith returns what sets a SAS with these parameters.
func sasWith(query string) func(*Config) {
	return func(c *Config) { c.SAS = always("sv=2024-11-04&sr=c&sp=r&" + query + "&sig=hunter2") }
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other server got a request for %s", r.URL.Path)
	}))
	t.Cleanup(other.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		s, server := newStore(t, nil)
		s.override = func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Location", other.URL+"/?"+r.URL.RawQuery)
			w.WriteHeader(status)
			return true
		}
		e := fails(t, originAt(t, server, withSAS), origins.Request{Key: "a.jpg"})
		if e.Kind != origins.Unknown || !strings.Contains(e.Remedy, "endpoint") {
			t.Errorf("%d: got %v, remedy %q", status, e, e.Remedy)
		}
	}
}

func TestConnectionsThatFailAreTold(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	if e := fails(t, originAt(t, dead, withSAS), origins.Request{Key: "a.jpg"}); e.Kind != origins.Unreachable || !strings.Contains(e.Remedy, "nothing listens") {
		t.Errorf("refused: got %v, remedy %q", e, e.Remedy)
	}

	s, server := newStore(t, nil)
	s.override = func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
	if e := fails(t, originAt(t, server, withSAS), origins.Request{Key: "a.jpg"}); e.Kind != origins.Unreachable || !e.Transient {
		t.Errorf("reset: got %v, transient %v", e, e.Transient)
	}
	if n := len(s.seen()); n != 1 {
		t.Errorf("reset: the store got %d requests, want one", n)
	}
}

func TestABodyThatBreaksIsNotRepairedHere(t *testing.T) {
	s, server := newStore(t, nil)
	s.override = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Length", "1000")
		w.Header().Set("ETag", `"0x1"`)
		w.Write(make([]byte, 500))
		return true
	}
	obj, err := originAt(t, server, withSAS).Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Body.Close()
	if got, err := io.ReadAll(obj.Body); len(got) != 500 || origins.KindOf(err) != origins.Unreachable {
		t.Errorf("got %d bytes and %v", len(got), err)
	} else {
		keepsQuiet(t, err)
	}
	if n := len(s.seen()); n != 1 {
		t.Errorf("the store got %d requests, want one", n)
	}
}

func TestAnotherPartIsNoAnswer(t *testing.T) {
	for name, contentRange := range map[string]string{"another one": "bytes 0-4/100", "nobody knows which": "", "nonsense": "bytes"} {
		s, server := newStore(t, nil)
		s.override = func(w http.ResponseWriter, _ *http.Request) bool {
			if contentRange != "" {
				w.Header().Set("Content-Range", contentRange)
			}
			w.WriteHeader(http.StatusPartialContent)
			io.WriteString(w, "abcde")
			return true
		}
		o := originAt(t, server, withKey)
		for _, part := range []*origins.Range{nil, {Start: 5, Length: 5}, {Length: -1}} {
			if e := fails(t, o, origins.Request{Key: "a.jpg", Range: part}); e.Kind != origins.Unknown {
				t.Errorf("%s, asked for %v: got %v", name, part, e)
			}
		}
	}
}

func TestABlobThatWasStoredCompressedIsAskedForWhole(t *testing.T) {
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	io.WriteString(z, "what it is")
	z.Close()
	s, server := newStore(t, map[string][]byte{"a.svg": []byte(packed.String())})
	s.headers["a.svg"] = http.Header{"Content-Encoding": {"gzip"}}
	o := originAt(t, server, withKey)
	for _, part := range []*origins.Range{nil, {Start: 3, Length: 4}, {Length: -1}} {
		obj, err := o.Open(t.Context(), origins.Request{Key: "a.svg", Range: part})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(obj.Body)
		obj.Body.Close()
		if string(body) != "what it is" || err != nil || obj.Range != nil || obj.Size != -1 {
			t.Errorf("range %v: got %q, %v, part %v, size %d", part, body, err, obj.Range, obj.Size)
		}
	}
}

func TestARangeOfAnEmptyBlobIsInvalid(t *testing.T) {
	_, server := newStore(t, map[string][]byte{"empty": {}})
	o := originAt(t, server, withKey)
	for _, part := range []origins.Range{{Length: -1}, {Start: 1, Length: -1}, {Start: 1, Length: 1 << 62}} {
		if e := fails(t, o, origins.Request{Key: "empty", Range: &part}); e.Kind != origins.Invalid {
			t.Errorf("%+v: got %v", part, e)
		}
	}
}

func TestAnEmptyPartAtTheEndIsNoAnswer(t *testing.T) {
	s, server := newStore(t, nil)
	s.override = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Range", "bytes 100-99/100")
		w.WriteHeader(http.StatusPartialContent)
		return true
	}
	o := originAt(t, server, withKey)
	for start, want := range map[int64]origins.Kind{100: origins.Invalid, 99: origins.Unknown} {
		if e := fails(t, o, origins.Request{Key: "a.jpg", Range: &origins.Range{Start: start, Length: -1}}); e.Kind != want {
			t.Errorf("from %d: got %v, want %v", start, e, want)
		}
	}
}

func TestThePageOfAnErrorIsNotWaitedFor(t *testing.T) {
	endless := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	silent := func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for _, tt := range []struct {
		name, code string
		page       http.HandlerFunc
	}{{"endless", "BlobNotFound", endless}, {"silent", "BlobNotFound", silent}, {"endless, without a code", "", endless}} {
		s, server := newStore(t, nil)
		s.override = func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("X-Ms-Error-Code", tt.code)
			w.WriteHeader(http.StatusNotFound)
			tt.page(w, r)
			return true
		}
		start := time.Now()
		e := fails(t, originAt(t, server, withKey), origins.Request{Key: "a.jpg"})
		if took := time.Since(start); e.Kind != origins.NotExist || took > 5*time.Second {
			t.Errorf("%s: got %v after %v", tt.name, e, took)
		}
	}
}

func TestMissingBlobsKeepTheConnection(t *testing.T) {
	_, server := newStore(t, nil)
	opened := 0
	o := originAt(t, server, func(c *Config) {
		withKey(c)
		transport := c.Transport.(*http.Transport)
		dial := transport.DialContext
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			opened++ // no other request runs at the same time
			return dial(ctx, network, address)
		}
	})
	for range 10 {
		fails(t, o, origins.Request{Key: "missing.jpg"})
	}
	if opened != 1 {
		t.Errorf("%d connections were opened for ten requests", opened)
	}
}

func TestAnUnknownAccountIsNamed(t *testing.T) {
	o, err := New(Config{Account: "nosuchaccount", Container: holder, SAS: always(goodSAS), Transport: roundTripper(
		func(r *http.Request) (*http.Response, error) {
			if r.URL.Scheme != "https" || r.URL.Host != "nosuchaccount.blob.core.windows.net" {
				t.Errorf("the request goes to %s://%s", r.URL.Scheme, r.URL.Host)
			}
			return nil, &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}
		},
	)})
	if err != nil {
		t.Fatal(err)
	}
	e := fails(t, o, origins.Request{Key: "a.jpg"})
	if e.Kind != origins.Unreachable || !strings.Contains(e.Remedy, `"nosuchaccount"`) {
		t.Errorf("got %v, remedy %q", e, e.Remedy)
	}
	if _, ok := errors.AsType[*net.DNSError](e); !ok {
		t.Errorf("the cause is lost: %v", e)
	}
}

// roundTripper is a function that carries requests.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
