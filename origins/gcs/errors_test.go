package gcs

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}

// document is an error as the JSON API writes it.
func document(status int, reason, message string) string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"errors":[{"message":%q,"domain":"global","reason":%q}]}}`, status, message, message, reason)
}

func TestAnswersAreClassified(t *testing.T) {
	const nobody = "Anonymous caller does not have storage.objects.get access to the Google Cloud Storage object. hunter2"
	const denied = testEmail + " does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist)."
	for _, tt := range []struct {
		name      string
		status    int
		body      string
		anonymous bool
		want      origins.Kind
		text      string // in the error
		remedy    string // in the remedy; "": there is none
		hidden    bool
		transient bool
	}{
		{"no object, in JSON", 404, document(404, "notFound", "No such object: test-bucket/a.jpg"), false, origins.NotExist, "answers 404 notFound", "", false, false},
		{"no object, as content is refused", 404, "No such object: test-bucket/a.jpg", false, origins.NotExist, "answers 404", "", false, false},
		{"no bucket, in JSON", 404, document(404, "notFound", "The specified bucket does not exist."), false, origins.Unknown, "404 bucketNotFound", "correct bucket", false, false},
		{"no bucket, as content is refused", 404, "The specified bucket does not exist.", false, origins.Unknown, "404 bucketNotFound", "called test-bucket", false, false},
		{"no bucket, in XML", 404, "<?xml version='1.0'?><Error><Code>NoSuchBucket</Code><Message>hunter2</Message></Error>", false, origins.Unknown, "404 bucketNotFound", "correct bucket", false, false},
		{"an object that is called like an error", 404, "No such object: test-bucket/the specified bucket does not exist", false, origins.NotExist, "answers 404", "", false, false},
		{"a wrong token", 401, document(401, "authError", "Invalid Credentials hunter2"), false, origins.Denied, "401 authError", "clock", false, true},
		{"a private object, for nobody", 401, nobody, true, origins.Denied, "answers 401", "allUsers", true, false},
		{"a private object, for nobody, in JSON", 401, document(401, "required", nobody), true, origins.Denied, "401 required", "allUsers", true, false},
		{"a forbidden object, as content is refused", 403, denied, false, origins.Denied, "answers 403", "roles/storage.objectViewer", true, false},
		{"a forbidden object, in JSON", 403, document(403, "forbidden", denied), false, origins.Denied, "403 forbidden", "roles/storage.objectViewer", true, false},
		{"a closed billing account", 403, document(403, "accountDisabled", "x"), false, origins.Denied, "403 accountDisabled", "billing", false, false},
		{"a closed billing account, as content is refused", 403, "The billing account for the owning project is disabled in state absent", false, origins.Denied, "403 accountDisabled", "billing", false, false},
		{"the API is off", 403, `{"error":{"code":403,"message":"hunter2","status":"PERMISSION_DENIED","details":[{"@type":"x","reason":"SERVICE_DISABLED"}]}}`, false, origins.Denied, "403 SERVICE_DISABLED", "enable the Cloud Storage API", false, false},
		{"requesters pay", 400, document(400, "required", "Bucket is requester pays bucket but no user project provided."), false, origins.Denied, "400 userProjectMissing", "set user_project", false, false},
		{"requesters pay, as content is refused", 400, "Bucket is a requester pays bucket but no user project provided.", false, origins.Denied, "400 userProjectMissing", "set user_project", false, false},
		{"who pays may not", 403, document(403, "userProjectAccountProblem", "x"), false, origins.Denied, "403 userProject", "user_project", false, false},
		{"a perimeter", 403, `{"error":{"code":403,"details":[{"reason":"SECURITY_POLICY_VIOLATED"}]}}`, false, origins.Denied, "403 SECURITY_POLICY_VIOLATED", "perimeter", false, false},
		{"a machine without the scope", 403, document(403, "insufficientPermissions", "x"), false, origins.Denied, "403 insufficientPermissions", "scope", false, false},
		{"too many, as a 403", 403, document(403, "rateLimitExceeded", "x"), false, origins.Unreachable, "403 rateLimitExceeded", "", false, true},
		{"too many", 429, document(429, "rateLimitExceeded", "x"), false, origins.Unreachable, "429 rateLimitExceeded", "", false, true},
		{"a wrong request", 400, document(400, "invalid", "hunter2"), false, origins.Unknown, "400 invalid", "", false, false},
		{"a time-out", 408, "", false, origins.Timeout, "answers 408", "", false, true},
		{"a range behind the end", 416, document(416, "requestedRangeNotSatisfiable", "x"), false, origins.Invalid, "answers 416", "", false, false},
		{"another generation", 412, document(412, "conditionNotMet", "x"), false, origins.Unknown, "changed", "", false, false},
		{"not modified, unasked", 304, "", false, origins.Unknown, "answers 304", "", false, false},
		{"a redirect", 302, "", false, origins.Unknown, "answers 302", "correct endpoint", false, false},
		{"broken", 500, document(500, "backendError", "x"), false, origins.Unknown, "500 backendError", "", false, true},
		{"a bad gateway", 502, "<html>hunter2</html>", false, origins.Unreachable, "answers 502", "", false, true},
		{"overloaded", 503, document(503, "backendError", "x"), false, origins.Unreachable, "503 backendError", "", false, true},
		{"a slow gateway", 504, "", false, origins.Timeout, "answers 504", "", false, true},
		{"a code that is none", 403, document(403, "hunter2 hunter2", "x"), false, origins.Denied, "answers 403", "objectViewer", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, "", nil)
			f.refuses = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "3")
				w.Header().Set("Location", "http://127.0.0.1:1/hunter2")
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}
			change := func(*Config) {}
			if tt.anonymous {
				change = anonymously
			}
			e := refusal(t, f.origin(t, change), origins.Request{Key: "a.jpg", Match: `"1700000000000001"`})
			if e.Kind != tt.want || e.Hidden != tt.hidden || e.Transient != tt.transient || !strings.Contains(e.Error(), tt.text) {
				t.Errorf("got %v, hidden %v, transient %v", e, e.Hidden, e.Transient)
			}
			if !strings.Contains(e.Remedy, tt.remedy) || tt.remedy == "" && e.Remedy != general(tt.want, tt.status) {
				t.Errorf("the remedy is %q, want %q in it", e.Remedy, tt.remedy)
			}
			if tt.transient && e.After != 3*time.Second {
				t.Errorf("to be left alone for %v, want 3s", e.After)
			}
		})
	}
}

func TestAnswersThatMakeNoSenseAreUnknown(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		header [2]string
	}{
		{"a part of nowhere", 206, [2]string{"Content-Range", "hunter2"}},
		{"another part", 206, [2]string{"Content-Range", "bytes 7-9/100"}},
		{"a part that wasn't asked for", 206, [2]string{"Content-Range", "bytes 0-2/100"}},
		{"a generation that is none", 200, [2]string{"X-Goog-Generation", "hunter2"}},
		{"a time that is none", 200, [2]string{"Last-Modified", "hunter2"}},
		{"an unknown encoding", 200, [2]string{"Content-Encoding", "compress"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, "", nil)
			f.refuses = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(tt.header[0], tt.header[1])
				w.WriteHeader(tt.status)
				io.WriteString(w, "abc")
			}
			req := origins.Request{Key: "a.jpg"}
			if tt.name == "another part" {
				req.Range = &origins.Range{Start: 0, Length: 3}
			}
			if e := refusal(t, f.origin(t), req); e.Kind != origins.Unknown {
				t.Errorf("got %v", e)
			}
		})
	}
}

// general returns the remedy that goes without saying.
func general(kind origins.Kind, status int) string {
	return remote.Complete(&origins.Error{Kind: kind}, status).Remedy
}
