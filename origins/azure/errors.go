package azure

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// Codes that the library has no names for.
const (
	publicAccessNotPermitted           bloberror.Code = "PublicAccessNotPermitted"
	keyBasedAuthenticationNotPermitted bloberror.Code = "KeyBasedAuthenticationNotPermitted"
)

// maxSkew is from where on a clock is told to be wrong. The store tolerates 15 minutes with a key.
const maxSkew = 5 * time.Minute

// unusable returns the failure of credentials that need no store to be wrong.
func unusable(key string, err error) error {
	e := remote.Fail(origins.Denied, key, "no request can be made with these credentials")
	if bad, ok := errors.AsType[*badCredentials](err); ok {
		e.Remedy = "correct " + bad.Error()
	}
	return e
}

// failure returns the *origins.Error of a request that brought no blob. The errors of the library stay out of it: they
// hold addresses, and what servers write.
func (o *Origin) failure(ctx context.Context, key string, err error) error {
	if ctx.Err() != nil {
		return remote.Broken(ctx, key, ctx.Err())
	}
	if e, ok := errors.AsType[*tokenError](err); ok {
		return tokenFailure(ctx, key, e)
	}
	if e, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return o.refusal(key, e)
	}
	if _, ok := errors.AsType[*url.Error](err); !ok {
		return remote.Fail(origins.Unknown, key, "the request can't be made, or the headers of the answer make no sense (%T)", err)
	}
	e := remote.Broken(ctx, key, err)
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound && !o.fixed {
		e.Remedy = fmt.Sprintf("correct account: there is no storage account %q, or the name server doesn't know it", o.account)
	}
	return e
}

// refusal returns the failure that an answer of the store tells of.
func (o *Origin) refusal(key string, res *azcore.ResponseError) error {
	code := bloberror.Code(word(res.ErrorCode))
	e := remote.Fail(kindOf(res.StatusCode, code), key, "azure answers %d %s", res.StatusCode, code)
	if code == "" {
		e.Err = fmt.Errorf("azure answers %d without an error code", res.StatusCode)
	}
	e.Transient = remote.TransientStatus(res.StatusCode)
	e.Alive = remote.AliveStatus(res.StatusCode)
	header := http.Header{}
	if res.RawResponse != nil {
		header = res.RawResponse.Header
	}
	e.After = remote.RetryAfter(header, o.now())
	if e.Kind == origins.Denied {
		e.Remedy = o.credentialRemedy(code, header)
	}
	if e.Remedy == "" {
		e.Remedy = o.remedy(res.StatusCode, code)
	}
	return remote.Complete(e, res.StatusCode)
}

var codeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,79}$`)

// word returns code if it is one, and not a text that somebody wrote in its place.
func word(code string) string {
	if !codeForm.MatchString(code) {
		return ""
	}
	return code
}

// kindOf says what an answer means.
func kindOf(status int, code bloberror.Code) origins.Kind {
	switch code {
	case bloberror.BlobNotFound, bloberror.ResourceNotFound:
		return origins.NotExist
	case bloberror.InvalidResourceName, bloberror.InvalidURI, bloberror.RequestURLFailedToParse, bloberror.OutOfRangeInput:
		return origins.NotExist // the container was looked at, so it is the name of the blob, which no blob can have
	case bloberror.ContainerNotFound:
		return origins.Unknown // nobody knows what would be in it
	case publicAccessNotPermitted, bloberror.InvalidAuthenticationInfo:
		return origins.Denied // 409 and 400
	case bloberror.OperationTimedOut:
		return origins.Timeout // 500
	}
	return remote.KindOfStatus(status)
}

// credentialRemedy says what the credentials themselves, and the clocks, have to do with a refusal; "" is nothing.
func (o *Origin) credentialRemedy(code bloberror.Code, answer http.Header) string {
	there, err := http.ParseTime(answer.Get("Date"))
	if err == nil && (code == bloberror.AuthenticationFailed || code == bloberror.AuthorizationFailure) && o.auth.kind != byNobody {
		switch skew := o.now().Sub(there).Round(time.Second); {
		case skew > maxSkew:
			return fmt.Sprintf("set the clock of this machine, which is %v ahead of the store's", skew)
		case skew < -maxSkew:
			return fmt.Sprintf("set the clock of this machine, which is %v behind the store's", -skew)
		}
	}
	if why := o.sasOutside(); why != "" {
		return why + "; put a new one into sas_token"
	}
	return ""
}

// sasOutside says that this is not the time of the SAS, "" if it is, or if there is none.
func (o *Origin) sasOutside() string {
	if o.auth.kind != bySAS {
		return ""
	}
	s, err := parseSAS(o.auth.sas())
	if err != nil {
		return ""
	}
	why := s.outside(o.now())
	if why != "" {
		why = "the SAS " + why
	}
	return why
}

// remedy says what to do about an answer.
func (o *Origin) remedy(status int, code bloberror.Code) string {
	switch code {
	case bloberror.ContainerNotFound:
		return fmt.Sprintf("correct container, or create it: the account has no container %q", o.container)
	case bloberror.ContainerBeingDeleted, bloberror.ContainerDisabled:
		return fmt.Sprintf("wait, or name another container: %q is being deleted or disabled", o.container)
	case bloberror.ResourceNotFound:
		if o.auth.kind == byNobody {
			return fmt.Sprintf("if this is told of every file, container %q is missing or not public", o.container)
		}
		return "if this is told of every file, correct account or endpoint"
	case bloberror.AuthenticationFailed, bloberror.InvalidAuthenticationInfo:
		return o.identityRemedy()
	case bloberror.AuthorizationFailure:
		if o.auth.kind == byNobody {
			return o.identityRemedy()
		}
		return "let this machine's address through the account's network rules; an emulator answers this to a wrong key or SAS"
	case bloberror.AuthorizationPermissionMismatch, bloberror.InsufficientAccountPermissions:
		if o.auth.kind == byDefault {
			return fmt.Sprintf("assign the role Storage Blob Data Reader on container %q to this machine's identity; that may take ten minutes to work", o.container)
		}
		return "make a SAS that may read (sp=r), or let its stored access policy grant r"
	case bloberror.AuthorizationSourceIPMismatch:
		return "make a SAS without sip, or with the address of this machine in it"
	case bloberror.AuthorizationProtocolMismatch:
		return "use an endpoint with https, which the SAS asks for"
	case bloberror.AuthorizationServiceMismatch, bloberror.AuthorizationResourceTypeMismatch:
		return "make a SAS for blobs: ss=b and srt=o, or one of the container"
	case bloberror.NoAuthenticationInformation, publicAccessNotPermitted:
		return fmt.Sprintf("let the account and container %q be read by everybody, or use sas_token, account_key or an identity instead of anonymous", o.container)
	case keyBasedAuthenticationNotPermitted:
		return "the account takes no key and no SAS made with one; use an identity, or a user delegation SAS"
	case bloberror.AccountIsDisabled:
		return "look at the subscription of the storage account, which is disabled"
	case bloberror.BlobArchived:
		return "rehydrate the blob to the hot, cool or cold tier; archived ones can't be read"
	case bloberror.BlobBeingRehydrated:
		return "wait until the blob is rehydrated, which takes hours"
	case bloberror.BlobUsesCustomerSpecifiedEncryption:
		return "store the blob without a key of its own; those can't be read here"
	case bloberror.ConditionNotMet:
		return "nothing: the blob was replaced while it was read"
	case bloberror.InvalidHeaderValue, bloberror.FeatureVersionMismatch:
		return "update the store, which may not know this version of the protocol; start Azurite with --skipApiVersionCheck"
	case "":
		if status >= 300 && status < 500 {
			return "look whether endpoint, or what stands before it, is Azure Blob Storage"
		}
	}
	return ""
}

// identityRemedy says what to do about credentials that the store doesn't believe.
func (o *Origin) identityRemedy() string {
	switch o.auth.kind {
	case byKey:
		return fmt.Sprintf("put key1 or key2 of storage account %q into account_key; this is none of them", o.account)
	case bySAS:
		return "put a new SAS of this account and container into sas_token: this one was cut off, is of another one, or the key that signed it was replaced"
	case byDefault:
		return "look which tenant the identity is of: the store doesn't take its token"
	}
	return fmt.Sprintf("container %q is not public; use sas_token, account_key or an identity instead of anonymous", o.container)
}

var entraCode = regexp.MustCompile(`AADSTS\d{3,9}`)

// tokenFailure returns the failure of a credential to get a token.
func tokenFailure(ctx context.Context, key string, err *tokenError) error {
	switch {
	case err.status != 0:
		return entraFailure(key, err)
	case err.broken != nil:
		e := remote.Broken(ctx, key, err.broken)
		e.Err = fmt.Errorf("fetching a token: %w", e.Err)
		return e
	}
	e := remote.Fail(origins.Denied, key, "no token: this machine has no identity that works")
	e.Remedy = "give the machine a managed identity, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or use sas_token, account_key or anonymous"
	return e
}

// entraFailure returns the failure that the service which issues tokens tells of.
func entraFailure(key string, err *tokenError) error {
	code := err.code
	if code == "" {
		code = "without a known code"
	}
	e := remote.Fail(origins.Denied, key, "no token: the identity service answers %d %s", err.status, code)
	e.Remedy = "correct the identity: AZURE_TENANT_ID, AZURE_CLIENT_ID and its secret or certificate, or the identity that is assigned to this machine"
	if remote.TransientStatus(err.status) {
		e.Kind, e.Transient, e.Remedy = remote.KindOfStatus(err.status), true, ""
	}
	return e
}
