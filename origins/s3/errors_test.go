package s3

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func TestFailuresAreToldApart(t *testing.T) {
	const skewed = "Mon, 02 Jan 2006 15:04:05 GMT"
	for _, tt := range []struct {
		status  int
		code    string
		message string
		header  http.Header

		kind      origins.Kind
		transient bool
		hidden    bool
		after     time.Duration
		remedy    string // is in it; "" is none
	}{
		{status: 404, code: "NoSuchKey", kind: origins.NotExist},
		{status: 404, kind: origins.NotExist},
		{status: 400, code: "KeyTooLongError", kind: origins.NotExist},
		{status: 404, code: "NoSuchBucket", kind: origins.Unknown, remedy: "there is no bucket pictures; or set path_style"},
		{status: 400, code: "InvalidBucketName", kind: origins.Unknown, remedy: "set path_style"},
		{status: 403, code: "AccessDenied", kind: origins.Denied, hidden: true, remedy: "allow s3:GetObject on arn:aws:s3:::pictures/shop/* for these keys"},
		{status: 403, kind: origins.Denied, hidden: true, remedy: "allow s3:GetObject"},
		{status: 403, code: "AccessDenied", message: "not authorized to perform: kms:Decrypt on resource: arn:aws:kms", kind: origins.Denied, remedy: "allow kms:Decrypt"},
		{status: 400, code: "KMS.DisabledException", kind: origins.Denied, remedy: "this key is enabled"},
		{status: 403, code: "AllAccessDisabled", kind: origins.Denied, remedy: "ask the store"},
		{status: 403, code: "InvalidAccessKeyId", kind: origins.Denied, remedy: "correct access_key"},
		{status: 403, code: "SignatureDoesNotMatch", kind: origins.Denied, remedy: "correct secret_key"},
		{status: 401, code: "Unauthorized", kind: origins.Denied, remedy: "access_key and secret_key"},
		{status: 400, code: "ExpiredToken", kind: origins.Denied, remedy: "renew the temporary keys"},
		{status: 400, code: "TokenRefreshRequired", kind: origins.Denied, remedy: "renew the temporary keys"},
		{status: 400, code: "InvalidToken", kind: origins.Denied, remedy: "session_token belong together"},
		{status: 403, code: "RequestTimeTooSkewed", header: http.Header{"Date": {skewed}}, kind: origins.Denied, transient: true, remedy: "ahead of the store's"},
		{status: 400, code: "AuthorizationHeaderMalformed", message: "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-2'", kind: origins.Unknown, remedy: "the bucket pictures is not in eu-west-1; set region us-east-2"},
		{status: 400, code: "AuthorizationHeaderMalformed", message: "The authorization header is malformed; the region &#34;eu-west-1&#34; is wrong; expecting &#34;us-east-1&#34;", kind: origins.Unknown, remedy: "set region us-east-1"},
		{status: 400, code: "AuthorizationHeaderMalformed", message: "expecting 'x; rm'", kind: origins.Unknown, remedy: "correct region: the bucket pictures is not in eu-west-1"},
		{status: 301, code: "PermanentRedirect", header: http.Header{"X-Amz-Bucket-Region": {"ap-south-1"}}, kind: origins.Unknown, remedy: "set region ap-south-1"},
		{status: 301, header: http.Header{"X-Amz-Bucket-Region": {"ap-south-1"}}, kind: origins.Unknown, remedy: "set region ap-south-1"},
		{status: 307, code: "TemporaryRedirect", kind: origins.Unknown, remedy: "correct region"},
		{status: 400, code: "IllegalLocationConstraintException", message: "x", kind: origins.Unknown, remedy: "correct region"},
		{status: 503, code: "SlowDown", kind: origins.Unreachable, transient: true},
		{status: 503, code: "ServiceUnavailable", header: http.Header{"Retry-After": {"3"}}, kind: origins.Unreachable, transient: true, after: 3 * time.Second},
		{status: 503, kind: origins.Unreachable, transient: true},
		{status: 429, code: "TooManyRequests", kind: origins.Unreachable, transient: true},
		{status: 400, code: "RequestLimitExceeded", kind: origins.Unreachable, transient: true},
		{status: 500, code: "InternalError", kind: origins.Unknown, transient: true},
		{status: 502, kind: origins.Unreachable, transient: true},
		{status: 504, kind: origins.Timeout, transient: true},
		{status: 400, code: "RequestTimeout", kind: origins.Timeout, transient: true},
		{status: 412, code: "PreconditionFailed", kind: origins.Unknown},
		{status: 416, code: "InvalidRange", kind: origins.Invalid},
		{status: 416, kind: origins.Invalid},
		{status: 403, code: "InvalidObjectState", kind: origins.Denied, remedy: "restore the object"},
		{status: 304, kind: origins.Unknown},
		{status: 400, code: "InvalidRequest", kind: origins.Unknown},
		{status: 400, code: "KeyIs hunter2", kind: origins.Unknown},
		{status: 206, kind: origins.Unknown},
	} {
		t.Run(fmt.Sprint(tt.status, " ", tt.code), func(t *testing.T) {
			f := newFake(t, nil, false)
			f.answer = func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range tt.header {
					w.Header()[name] = values
				}
				if tt.code == "" {
					w.WriteHeader(tt.status)
					return
				}
				fail(w, tt.status, tt.code, tt.message)
			}
			o := f.origin(t, func(c *Config) { c.Prefix = "shop" })
			e := refusedAs(t, o, origins.Request{Key: "a.jpg"})
			if e.Key != "a.jpg" || e.Kind != tt.kind || e.Transient != tt.transient || e.Hidden != tt.hidden || e.After != tt.after {
				t.Errorf("got %v, transient %v, hidden %v, after %v", e, e.Transient, e.Hidden, e.After)
			}
			if !strings.Contains(e.Remedy, tt.remedy) || tt.remedy == "" && e.Remedy != general(tt.kind, tt.status) || strings.Contains(e.Remedy, "{") {
				t.Errorf("the remedy is %q, want %q in it", e.Remedy, tt.remedy)
			}
			if tt.status != 206 && !strings.Contains(e.Err.Error(), strings.TrimSpace(fmt.Sprintf("the store answers %d %s", tt.status, codeShape.FindString(tt.code)))) {
				t.Errorf("the cause is %v", e.Err)
			}
		})
	}
}

func TestAnErrorPageThatIsNoneOfTheStoreIsJudgedByItsStatus(t *testing.T) {
	f := newFake(t, nil, false)
	f.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, "<!doctype html><html><p>hunter2<br></html>")
	}
	e := refusedAs(t, f.origin(t, nil), origins.Request{Key: "a.jpg"})
	if e.Kind != origins.Unreachable || !e.Transient || e.Err.Error() != "the store answers 502" {
		t.Errorf("got %v", e)
	}
}

func TestARefusedVisitorOfAPublicBucketIsToldSo(t *testing.T) {
	f := newFake(t, nil, false) // which isn't public
	e := refusedAs(t, f.origin(t, func(c *Config) { c.Keys, c.Anonymous = nil, true }), origins.Request{Key: "a.jpg"})
	if e.Kind != origins.Denied || !e.Hidden || !strings.HasPrefix(e.Remedy, "let everybody read the bucket pictures") {
		t.Errorf("got %v; %s", e, e.Remedy)
	}
}

func TestAServersDateThatMakesNoSenseStillAnswers(t *testing.T) {
	if got := clockRemedy(http.Header{"Date": {"yesterday"}}, time.Now()); got != "set the clock of this machine" {
		t.Errorf("got %q", got)
	}
	now := time.Now().Truncate(time.Second)
	behind := clockRemedy(http.Header{"Date": {now.Add(20 * time.Minute).UTC().Format(http.TimeFormat)}}, now)
	if behind != "set the clock of this machine: it is 20m0s behind the store's" {
		t.Errorf("got %q", behind)
	}
}

func TestAnotherClockIsMadeUpFor(t *testing.T) {
	f := newFake(t, nil, false)
	const off = 30 * time.Minute
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		store := time.Now().Add(off)
		w.Header().Set("Date", store.UTC().Format(http.TimeFormat))
		signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil || store.Sub(signed).Abs() > 15*time.Minute {
			fail(w, http.StatusForbidden, "RequestTimeTooSkewed", "")
			return
		}
		fmt.Fprint(w, "a")
	}
	o := f.origin(t, nil)
	e := refusedAs(t, o, origins.Request{Key: "a.jpg"})
	if e.Kind != origins.Denied || !e.Transient || !strings.Contains(e.Remedy, "behind the store's") {
		t.Errorf("got %v; %s", e, e.Remedy)
	}
	if got := fetch(t, o, origins.Request{Key: "a.jpg"}); got != "a" {
		t.Errorf("the next request got %q", got)
	}
}

func TestRequestsWithoutAnAnswerAreToldApart(t *testing.T) {
	f := newFake(t, nil, false)
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		default:
			panic(http.ErrAbortHandler)
		}
	}
	o := f.origin(t, nil)
	if e := refusedAs(t, o, origins.Request{Key: "broken"}); e.Kind != origins.Unreachable || !e.Transient {
		t.Errorf("got %v, transient %v", e, e.Transient)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := o.Open(ctx, origins.Request{Key: "slow"}); origins.KindOf(err) != origins.Timeout {
		t.Errorf("got %v", err)
	}
	f.Close()
	if e := refusedAs(t, o, origins.Request{Key: "gone"}); e.Kind != origins.Unreachable || e.Remedy == "" {
		t.Errorf("got %v; %s", e, e.Remedy)
	}
}

// trip is a transport that fails.
type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAStoreWithoutHostNamesForBucketsIsSuspected(t *testing.T) {
	notFound := &net.DNSError{Err: "no such host", Name: "pictures.store.test", IsNotFound: true}
	mismatch := x509.HostnameError{Certificate: new(x509.Certificate), Host: "pictures.store.test"}
	quiet(t)
	const store = "https://store.test"
	for _, tt := range []struct {
		name      string
		bucket    string
		endpoint  string
		pathStyle bool
		err       error
		want      bool
	}{
		{"bucket in the host", "pictures", store, false, notFound, true},
		{"bucket in the host, for which there is no certificate", "pictures", store, false, mismatch, true},
		{"bucket in the path", "pictures", store, true, notFound, false},
		{"bucket with dots", "my.pictures", store, false, notFound, false},
		{"address", "pictures", "https://192.0.2.1", false, mismatch, false},
		{"Amazon", "pictures", "", false, mismatch, false},
		{"another failure", "pictures", store, false, errors.New("broken"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := New(Config{
				Bucket: tt.bucket, Region: region, Endpoint: tt.endpoint, PathStyle: tt.pathStyle, Keys: func() Keys { return rightKeys },
				Transport: trip(func(*http.Request) (*http.Response, error) { return nil, tt.err }),
			})
			if err != nil {
				t.Fatal(err)
			}
			if e := refusedAs(t, o, origins.Request{Key: "a.jpg"}); strings.Contains(e.Remedy, "path_style") != tt.want {
				t.Errorf("the remedy of %v is %q", e, e.Remedy)
			}
		})
	}
}

// general returns the remedy that goes without saying.
func general(kind origins.Kind, status int) string {
	return remote.Complete(&origins.Error{Kind: kind}, status).Remedy
}
