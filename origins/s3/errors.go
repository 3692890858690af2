package s3

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// verdict is what a refusal means.
type verdict struct {
	kind      origins.Kind
	transient bool
	hidden    bool
	remedy    string // {bucket}, {prefix} and {region} stand for those of the configuration
}

// The verdicts that several codes share.
var (
	missing     = verdict{kind: origins.NotExist}
	refused     = verdict{kind: origins.Denied, hidden: true, remedy: "allow s3:GetObject on arn:aws:s3:::{bucket}/{prefix}* for these keys; if they do read other files, this one is missing: set missing_on_denied, or allow s3:ListBucket on the bucket, too"}
	badKeys     = verdict{kind: origins.Denied, remedy: "correct access_key: the store doesn't know it, or it was deleted"}
	badSecret   = verdict{kind: origins.Denied, remedy: "correct secret_key: it doesn't belong to access_key"}
	expired     = verdict{kind: origins.Denied, remedy: "renew the temporary keys: access_key, secret_key and session_token belong together and end together"}
	noBucket    = verdict{kind: origins.Unknown, remedy: "correct bucket, region or endpoint: there is no bucket {bucket}"}
	wrongRegion = verdict{kind: origins.Unknown, remedy: "correct region: the bucket {bucket} is not in {region}"}
	throttled   = verdict{kind: origins.Unreachable, transient: true}
	broken      = verdict{kind: origins.Unknown, transient: true}
	skewed      = verdict{kind: origins.Denied, transient: true} // the SDK signs the next request by the store's clock
	archived    = verdict{kind: origins.Denied, remedy: "restore the object from its archive, or move it to a storage class that is read at once"}
	noKMS       = verdict{kind: origins.Denied, remedy: "allow kms:Decrypt on the key that the object is encrypted with, and see that this key is enabled"}
	disabled    = verdict{kind: origins.Denied, remedy: "ask the store: it has disabled the account or the bucket"}
)

// verdicts are by the code of the store. What isn't here is judged by its status.
var verdicts = map[string]verdict{
	"NoSuchKey":               missing,
	"NoSuchVersion":           missing,
	"KeyTooLongError":         missing, // some stores have a lower limit
	"XMinioInvalidObjectName": missing,

	"NoSuchBucket":                noBucket,
	"InvalidBucketName":           noBucket,
	"NoSuchAccessPoint":           noBucket,
	"InvalidBucketState":          noBucket,
	"AllAccessDisabled":           disabled,
	"AccountProblem":              disabled,
	"NotSignedUp":                 disabled,
	"AccessDenied":                refused,
	"InvalidAccessKeyId":          badKeys,
	"InvalidAccessKey":            badKeys,
	"InvalidClientTokenId":        badKeys, // of STS
	"UnrecognizedClientException": badKeys,
	"SignatureDoesNotMatch":       badSecret,
	"ExpiredToken":                expired,
	"ExpiredTokenException":       expired, // of STS
	"InvalidToken":                expired,
	"TokenRefreshRequired":        expired,
	"InvalidObjectState":          archived,
	"KMSAccessDeniedException":    noKMS,

	"RequestTimeTooSkewed": skewed,
	"RequestExpired":       skewed,

	"AuthorizationHeaderMalformed":       wrongRegion,
	"PermanentRedirect":                  wrongRegion,
	"TemporaryRedirect":                  wrongRegion,
	"Redirect":                           wrongRegion,
	"IllegalLocationConstraintException": wrongRegion,
	"InvalidRegion":                      wrongRegion,

	"SlowDown":               throttled,
	"ServiceUnavailable":     throttled,
	"Throttling":             throttled,
	"ThrottlingException":    throttled,
	"TooManyRequests":        throttled,
	"RequestLimitExceeded":   throttled,
	"BandwidthLimitExceeded": throttled,
	"InternalError":          broken,
	"RequestTimeout":         {kind: origins.Timeout, transient: true},
	"PreconditionFailed":     {kind: origins.Unknown},
	"InvalidRange":           {kind: origins.Invalid},
}

// fault returns the failure that err tells of.
func (o *Origin) fault(ctx context.Context, req origins.Request, err error) *origins.Error {
	if c, ok := errors.AsType[*credentialsError](err); ok {
		return o.noCredentials(ctx, req.Key, c)
	}
	if ctx.Err() != nil {
		return remote.Broken(ctx, req.Key, err)
	}
	if sent, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return o.unanswered(ctx, req.Key, sent.Err)
	}
	if res := response(err); res != nil {
		return o.refusal(req, res, err)
	}
	// The SDK's own opinion, of an endpoint for example.
	return remote.Fail(origins.Unknown, req.Key, "making the request: %w", err)
}

// response returns the answer that err is about, nil if there was none.
func response(err error) *http.Response {
	e, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || e.HTTPStatusCode() == 0 {
		return nil
	}
	return e.HTTPResponse().Response
}

// unanswered returns the failure of a request that got no answer.
func (o *Origin) unanswered(ctx context.Context, key string, err error) *origins.Error {
	e := remote.Broken(ctx, key, err)
	dns, unknown := errors.AsType[*net.DNSError](err)
	_, mismatch := errors.AsType[x509.HostnameError](err)
	if o.config.bucketInHost() && (mismatch || unknown && dns.IsNotFound) {
		e.Remedy += "; or set path_style, if this store has no host name for each bucket"
	}
	return e
}

// refusal returns the failure that an answer tells of. It quotes status and code, and never the store's own sentence,
// which may repeat keys and signatures.
func (o *Origin) refusal(req origins.Request, res *http.Response, err error) *origins.Error {
	status := res.StatusCode
	if status >= 200 && status < 300 {
		return remote.Fail(origins.Unknown, req.Key, "the store answers %d with headers that make no sense", status)
	}
	if v := req.Validator; status == http.StatusNotModified && (v.ETag != "" || !v.Modified.IsZero()) {
		return remote.Unchanged(req.Key, origins.Attributes{CacheControl: res.Header.Get("Cache-Control")})
	}
	code, message := apiError(err)
	v := judge(code, message, status)
	e := remote.Fail(v.kind, req.Key, "the store answers %s", strings.TrimSpace(fmt.Sprint(status, " ", code)))
	e.Transient, e.Hidden = v.transient, v.hidden
	e.Alive = remote.AliveStatus(status)
	e.After = remote.RetryAfter(res.Header, time.Now())
	e.Remedy = o.remedy(v, message, res.Header)
	return remote.Complete(e, status)
}

// judge returns what an error document means.
func judge(code, message string, status int) verdict {
	// Amazon tells with AccessDenied, too, that it can't decrypt for us; then the object is there.
	if strings.HasPrefix(code, "KMS.") || code == "AccessDenied" && strings.Contains(message, "kms:") {
		return noKMS
	}
	if v, ok := verdicts[code]; ok {
		return v
	}
	v := verdict{kind: remote.KindOfStatus(status), transient: remote.TransientStatus(status)}
	switch status {
	case http.StatusForbidden:
		return refused
	case http.StatusUnauthorized:
		v.remedy = "set or correct access_key and secret_key"
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect:
		return wrongRegion
	}
	if status >= 300 && status < 400 && status != http.StatusNotModified {
		v.remedy = "correct endpoint, which redirects to another place"
	}
	return v
}

// remedy completes that of v by what the answer knows.
func (o *Origin) remedy(v verdict, message string, h http.Header) string {
	text := v.remedy
	switch {
	case v == skewed:
		return clockRemedy(h, time.Now())
	case v == wrongRegion:
		if region := rightRegion(message, h); region != "" && region != o.config.Region {
			text += "; set region " + region
		}
	case v == noBucket && o.config.bucketInHost():
		text += "; or set path_style, if this store has no host name for each bucket"
	case v == refused && o.config.Anonymous:
		text = "let everybody read the bucket {bucket}, or set access_key and secret_key instead of anonymous; a public bucket that lists nothing answers so for missing files: set missing_on_denied"
	}
	prefix := o.config.Prefix
	if prefix != "" {
		prefix += "/"
	}
	return strings.NewReplacer("{bucket}", o.config.Bucket, "{region}", o.config.Region, "{prefix}", prefix).Replace(text)
}

// clockRemedy says by how much the clock of this machine differs from the one of the answer.
func clockRemedy(h http.Header, now time.Time) string {
	store, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return "set the clock of this machine"
	}
	ahead := now.Sub(store).Round(time.Second)
	if ahead < 0 {
		return fmt.Sprintf("set the clock of this machine: it is %v behind the store's", -ahead)
	}
	return fmt.Sprintf("set the clock of this machine: it is %v ahead of the store's", ahead)
}

// expecting is how stores say the region in the sentence of an error.
var expecting = regexp.MustCompile(`expecting ['"]([a-z0-9-]{1,63})['"]`)

// rightRegion returns the region that an answer names, "" if it names none.
func rightRegion(message string, h http.Header) string {
	if region := h.Get("X-Amz-Bucket-Region"); regionShape.MatchString(region) {
		return region
	}
	if match := expecting.FindStringSubmatch(message); match != nil {
		return match[1]
	}
	return ""
}

// codeShape is what codes look like: what doesn't isn't quoted.
var codeShape = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._]{0,63}$`)

// apiError returns code and sentence of an error document, "" if there was none.
func apiError(err error) (code, message string) {
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || !codeShape.MatchString(e.ErrorCode()) {
		return "", ""
	}
	return e.ErrorCode(), e.ErrorMessage()
}

// noCredentials returns the failure to come by credentials. Its causes may quote answers and output that are none of a
// log's business, so only what is known to be harmless is told.
func (o *Origin) noCredentials(ctx context.Context, key string, err *credentialsError) *origins.Error {
	e := remote.Fail(origins.Denied, key, "%w", err)
	e.Remedy = "set access_key and secret_key, or give this machine a role; the environment and the shared files of the SDK are looked at, too"
	profile, unknownProfile := errors.AsType[config.SharedConfigProfileNotExistError](err.cause)
	_, unanswered := errors.AsType[*smithyhttp.RequestSendError](err.cause)
	switch res := response(err.cause); {
	case ctx.Err() != nil:
		e.Kind = origins.KindOf(ctx.Err())
		e.Err = fmt.Errorf("%w: nobody gave any in time", err)
	case unknownProfile:
		e.Err = fmt.Errorf("%w: there is no profile %q in its shared files", err, profile.Profile)
		e.Remedy = "correct AWS_PROFILE in the environment"
	case err.text == noSDK:
		e.Remedy = "correct the AWS_… variables of the environment, and ~/.aws/config and ~/.aws/credentials"
	case res != nil && o.config.RoleARN != "":
		o.noRole(e, err, res)
	case errors.Is(err.cause, context.DeadlineExceeded):
		e.Kind, e.Err = origins.Timeout, fmt.Errorf("%w: nobody answers where they come from", err)
	case unanswered:
		// Not Denied: an origin that can't be reached is left alone for a while, instead of waiting for it each time.
		sent := remote.Broken(ctx, key, err.cause)
		e.Kind, e.Transient = sent.Kind, sent.Transient
		if o.config.Keys != nil { // then only STS is asked
			e.Remedy = "let this machine reach STS in region " + o.config.Region
		}
	}
	return e
}

// noRole says why STS refuses to give the role.
func (o *Origin) noRole(e *origins.Error, err *credentialsError, res *http.Response) {
	code, message := apiError(err.cause)
	v := judge(code, message, res.StatusCode)
	e.Err = fmt.Errorf("%w: STS answers %s", err, strings.TrimSpace(fmt.Sprint(res.StatusCode, " ", code)))
	e.Kind, e.Transient = v.kind, v.transient
	e.Remedy = o.remedy(v, message, res.Header)
	if v == refused {
		e.Remedy = "allow sts:AssumeRole on " + o.config.RoleARN + " for these keys, and in the role's trust policy; look at external_id, too"
	}
}
