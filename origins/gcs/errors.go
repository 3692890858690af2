package gcs

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"cloud.google.com/go/auth"
	"google.golang.org/api/googleapi"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// Our words for reasons that the store tells as a sentence only, to who asks for content.
const (
	bucketMissing      = "bucketNotFound"
	accountDisabled    = "accountDisabled"
	userProjectMissing = "userProjectMissing"
)

// store is what the log calls the service.
const store = "Cloud Storage"

// viewer is the least role that the origin needs, and one that tells missing objects from forbidden ones.
const viewer = "grant roles/storage.objectViewer on the bucket to the service account; if other files are read, this one is missing: set missing_on_denied, or keep storage.objects.list in the role"

// remedies are what to do about reasons why the store refuses an account, whatever the object. In lower case.
var remedies = map[string]string{
	"accountdisabled":                 "see to the billing account of the bucket's project, which is closed or missing",
	"billing_disabled":                "see to the billing account of the bucket's project, which is closed or missing",
	"accessnotconfigured":             "enable the Cloud Storage API in the service account's project: gcloud services enable storage.googleapis.com",
	"service_disabled":                "enable the Cloud Storage API in the service account's project: gcloud services enable storage.googleapis.com",
	"userprojectmissing":              "set user_project to the project that pays: this bucket's requesters do",
	"userprojectaccountproblem":       "see to the billing account of user_project",
	"user_project_denied":             "grant roles/serviceusage.serviceUsageConsumer on user_project to the service account",
	"usernotallowedtouseproject":      "grant roles/serviceusage.serviceUsageConsumer on user_project to the service account",
	"securitypolicyviolated":          "let this machine and the service account into the perimeter of VPC Service Controls",
	"security_policy_violated":        "let this machine and the service account into the perimeter of VPC Service Controls",
	"insufficientpermissions":         "give the machine the scope devstorage.read_only, or use a key of a service account",
	"access_token_scope_insufficient": "give the machine the scope devstorage.read_only, or use a key of a service account",
	"sslrequired":                     "write endpoint with https",
}

// throttles are reasons of a 403 that would be a 429 elsewhere. In lower case.
var throttles = map[string]bool{"ratelimitexceeded": true, "userratelimitexceeded": true}

// unmade is the error of a client that can't be made.
func unmade(ctx context.Context, key string, err error) *origins.Error {
	if ended := ctx.Err(); ended != nil {
		return &origins.Error{Kind: origins.KindOf(ended), Key: key, Err: ended}
	}
	if e, ok := errors.AsType[*credentialsError](err); ok {
		return &origins.Error{Kind: origins.Denied, Key: key, Err: e.cause, Remedy: e.remedy}
	}
	return &origins.Error{Kind: origins.Unknown, Key: key, Err: err}
}

// failed is the error of an attempt that brought no object.
func (o *Origin) failed(ctx context.Context, req origins.Request, a *attempt, err error) *origins.Error {
	if ended := ctx.Err(); ended != nil {
		return &origins.Error{Kind: origins.KindOf(ended), Key: req.Key, Err: ended}
	}
	if e, ok := errors.AsType[*tokenError](err); ok {
		return tokenless(ctx, req.Key, e.error, time.Now())
	}
	if e, ok := errors.AsType[*googleapi.Error](err); ok {
		return o.answered(req, e, time.Now())
	}
	if a.status == 0 {
		return remote.Broken(ctx, req.Key, err)
	}
	// Not in the library's words, which repeat the header that it can't read.
	return &origins.Error{
		Kind: origins.Unknown, Key: req.Key, Err: fmt.Errorf("%w with headers that make no sense", told(store, a.status, "")),
		Remedy: "look whether endpoint speaks the JSON API of Cloud Storage",
	}
}

// answered is the error of an answer that brings no object.
func (o *Origin) answered(req origins.Request, answer *googleapi.Error, now time.Time) *origins.Error {
	reason := reasonOf(answer.Body)
	e := &origins.Error{
		Kind: remote.KindOfStatus(answer.Code), Key: req.Key, Err: told(store, answer.Code, reason),
		Transient: remote.TransientStatus(answer.Code), After: remote.RetryAfter(answer.Header, now),
		Alive: remote.AliveStatus(answer.Code),
	}
	switch answer.Code {
	case http.StatusNotModified:
		if conditionsOf(req).GenerationNotMatch > 0 {
			return remote.Unchanged(req.Key, origins.Attributes{CacheControl: answer.Header.Get("Cache-Control")})
		}
	case http.StatusPreconditionFailed:
		return changed(req.Key)
	case http.StatusNotFound:
		if reason == bucketMissing {
			e.Kind, e.Remedy = origins.Unknown, fmt.Sprintf("correct bucket: there is none called %s", o.bucket)
		}
	case http.StatusBadRequest:
		e.Remedy = remedies[strings.ToLower(reason)]
		if e.Remedy != "" {
			e.Kind = origins.Denied
		}
	case http.StatusUnauthorized, http.StatusForbidden:
		o.refused(e, answer.Code, strings.ToLower(reason))
	}
	if answer.Code >= 300 && answer.Code < 400 && answer.Code != http.StatusNotModified {
		e.Remedy = "correct endpoint, which redirects to another place"
	}
	return remote.Complete(e, answer.Code)
}

// refused says more about a 401 or 403.
func (o *Origin) refused(e *origins.Error, status int, reason string) {
	switch {
	case throttles[reason]:
		e.Kind, e.Transient = origins.Unreachable, true
	case remedies[reason] != "":
		e.Remedy = remedies[reason]
	case o.anonymous:
		// Nobody in particular is asked to log in, for an object that is missing as for one that is private.
		e.Hidden, e.Remedy = true, "grant roles/storage.objectViewer on the bucket to allUsers, or set credentials instead of anonymous; if other files are read, this one is missing: set missing_on_denied"
	case status == http.StatusUnauthorized:
		// A token that was good may have been revoked; another one is asked for with the next attempt.
		o.client.Forget()
		e.Transient = true
		e.Remedy = "look whether the service account still exists, whether this machine's clock is right, and whether endpoint belongs to its cloud"
	default:
		// Who may read objects (storage.objects.get) but not list them (storage.objects.list) is told 403 for those that
		// don't exist.
		e.Hidden, e.Remedy = true, viewer
	}
}

// told returns what a server says, in our words and its code: its sentences name accounts and keys.
func told(who string, status int, code string) error {
	if code == "" {
		return fmt.Errorf("%s answers %d", who, status)
	}
	return fmt.Errorf("%s answers %d %s", who, status, code)
}

// codeWord is what a code looks like that may be repeated.
var codeWord = regexp.MustCompile(`^[A-Za-z][A-Za-z_]{0,49}$`)

// reasonOf returns the code of an error's document, "" if it has none. Metadata is refused in JSON, content often in a
// sentence, and what stands before the store speaks XML.
func reasonOf(document string) string {
	var reply struct {
		Error struct {
			Message string
			Errors  []struct{ Reason string }
			Details []struct{ Reason string }
		}
	}
	var inXML struct{ Code string }
	message, reason := strings.TrimSpace(document), ""
	switch {
	case json.Unmarshal([]byte(document), &reply) == nil:
		message = reply.Error.Message
		for _, item := range reply.Error.Errors {
			reason = item.Reason
		}
		for _, item := range reply.Error.Details {
			if item.Reason != "" {
				reason = item.Reason
			}
		}
	case strings.HasPrefix(message, "<") && xml.Unmarshal([]byte(document), &inXML) == nil:
		reason = inXML.Code
	}
	if reason == "NoSuchBucket" {
		return bucketMissing
	}
	if known := reasonIn(message); known != "" {
		return known
	}
	if !codeWord.MatchString(reason) {
		return ""
	}
	return reason
}

// reasonIn recognizes sentences by their beginning: further behind may stand the name of an object, which visitors choose.
func reasonIn(message string) string {
	message = strings.ToLower(message)
	switch {
	case strings.HasPrefix(message, "the specified bucket does not exist"):
		return bucketMissing
	case strings.HasPrefix(message, "the billing account for the owning project is disabled"):
		return accountDisabled
	case strings.HasPrefix(message, "bucket is requester pays"), strings.HasPrefix(message, "bucket is a requester pays"):
		return userProjectMissing
	}
	return ""
}

// tokenless is the error of an attempt that got no token.
func tokenless(ctx context.Context, key string, err error, now time.Time) *origins.Error {
	const who = "the token endpoint"
	if refusal, ok := errors.AsType[*auth.Error](err); ok && refusal.Response != nil {
		status, code := refusal.Response.StatusCode, oauthCode(refusal.Body)
		e := &origins.Error{Kind: remote.KindOfStatus(status), Key: key, Err: told(who, status, code), After: remote.RetryAfter(refusal.Response.Header, now)}
		if e.Transient = remote.TransientStatus(status); !e.Transient && status < http.StatusInternalServerError {
			e.Kind, e.Remedy = origins.Denied, remedyOfToken(refusal, code, now)
		}
		return e
	}
	_, unanswered := errors.AsType[*url.Error](err)
	_, broken := errors.AsType[net.Error](err)
	if unanswered || broken {
		e := remote.Broken(ctx, key, err)
		e.Err = fmt.Errorf("asking %s: %w", who, e.Err)
		return e
	}
	return &origins.Error{
		Kind: origins.Denied, Key: key, Err: errors.New("no token can be had with these credentials"),
		Remedy: "look whether the credentials are those of a service account that still exists, and that this machine may use",
	}
}

// oauthCode returns the code of an error's document (RFC 6749 §5.2).
func oauthCode(document []byte) string {
	var reply struct {
		Error json.RawMessage // an object in what is no answer of OAuth
	}
	var code string
	if json.Unmarshal(document, &reply) != nil || json.Unmarshal(reply.Error, &code) != nil || !codeWord.MatchString(code) {
		return ""
	}
	return code
}

// maxSkew is how far a clock may be off before Google believes no login that carries its time.
const maxSkew = 5 * time.Minute

// remedyOfToken says what to do about a login that is refused.
func remedyOfToken(refusal *auth.Error, code string, now time.Time) string {
	if at, err := http.ParseTime(refusal.Response.Header.Get("Date")); err == nil {
		if skew := now.Sub(at); skew.Abs() > maxSkew {
			return fmt.Sprintf("set this machine's clock, which is off by %v", skew.Abs().Round(time.Minute))
		}
	}
	switch {
	case strings.Contains(string(refusal.Body), "reasonable timeframe"):
		return "set this machine's clock"
	case code == "invalid_grant":
		return "the key or its service account was deleted or disabled, or this machine's clock is wrong; create a new key, or set the clock"
	}
	return "correct the key of the service account and its token_uri"
}
