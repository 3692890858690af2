package s3

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/imageorigin/imageorigin/origins"
)

var (
	bucketShape = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	oldBucket   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)
	regionShape = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	zoneShape   = regexp.MustCompile(`^([a-z]{2,}(-[a-z]+)+-[0-9]+)[a-z]$`)
	roleShape   = regexp.MustCompile(`^arn:[a-z0-9-]+:iam::[^:/\s]*:role/\S+$`)
)

// check says what is wrong with c.
func (c Config) check() error {
	if err := c.validate(); err != nil {
		return err
	}
	return c.complete()
}

// validate says what is wrong with what c says. What it doesn't say is [Config.complete]'s business.
func (c Config) validate() error {
	for _, check := range []func() error{c.validateBucket, c.validateRegion, c.validatePrefix, c.validateEndpoint, c.validateAccess} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// complete says what c lacks.
func (c Config) complete() error {
	switch {
	case c.Bucket == "":
		return errors.New("bucket is empty; write the name of the bucket, as in: bucket product-images")
	case c.Region == "":
		return errors.New("region is empty; write the one that the bucket is in, as in: region eu-west-1, or set AWS_REGION in the environment")
	case c.ExternalID != "" && c.RoleARN == "":
		return errors.New("external_id belongs to a role; set role_arn, or remove it")
	}
	return nil
}

func (c Config) validateBucket() error {
	b := c.Bucket
	switch {
	case b == "" || bucketShape.MatchString(b) && !strings.Contains(b, "..") && net.ParseIP(b) == nil && !strings.HasSuffix(b, "--x-s3"):
		return nil
	case strings.Contains(b, "://"):
		return errors.New("bucket is a URL; write the name of the bucket only, a folder as prefix, and the address of a store as endpoint of an s3_compatible origin")
	case strings.HasPrefix(b, "arn:"):
		return fmt.Errorf("bucket %q is an ARN; write the name of the bucket, or the alias of the access point", b)
	case strings.Contains(b, "/"):
		return fmt.Errorf("bucket %q has a slash; write the name of the bucket only, and put the folder into prefix", b)
	case strings.HasSuffix(b, "--x-s3"):
		return fmt.Errorf("bucket %q is a directory bucket, which needs more than read permission; use a general purpose bucket", b)
	case c.PathStyle && oldBucket.MatchString(b):
		return nil
	case oldBucket.MatchString(b) && strings.ToLower(b) != b:
		return fmt.Errorf("bucket %q has capital letters; write it in small ones, or, where it is really called so, use s3_compatible with path_style", b)
	}
	return fmt.Errorf("bucket %q is not a name that a bucket can have: 3 to 63 small letters, digits, dots and hyphens", b)
}

func (c Config) validateRegion() error {
	if c.Region == "" {
		return nil
	}
	if !regionShape.MatchString(c.Region) {
		return fmt.Errorf("region %q is not a name that a region can have; write it like eu-west-1", c.Region)
	}
	if zone := zoneShape.FindStringSubmatch(c.Region); zone != nil && c.Endpoint == "" {
		return fmt.Errorf("region %q is an availability zone; write region %s", c.Region, zone[1])
	}
	return nil
}

func (c Config) validatePrefix() error {
	prefix := strings.Trim(c.Prefix, "/")
	if prefix == "" {
		return nil
	}
	if origins.CheckKey(prefix) != nil {
		return fmt.Errorf("prefix %q leads elsewhere; write a folder of the bucket, without . or .. and without double slashes", c.Prefix)
	}
	if len(prefix) > maxKey-2 {
		return fmt.Errorf("prefix is %d bytes long, which leaves no room for the name of a file: both together have at most %d", len(prefix), maxKey)
	}
	return nil
}

func (c Config) validateEndpoint() error {
	if c.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(c.Endpoint)
	switch {
	case !strings.Contains(c.Endpoint, "://"):
		return errors.New("endpoint has no scheme; write http:// or https:// before it")
	case err != nil:
		return errors.New("endpoint is not a URL; write it like https://s3.example.com")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("endpoint has the scheme %q; use http or https", u.Scheme)
	case u.User != nil:
		return errors.New("endpoint has a user name or password; use access_key and secret_key")
	case u.Hostname() == "":
		return errors.New("endpoint has no host; write it like https://s3.example.com")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("endpoint has a query or a fragment; write scheme and host only")
	case u.Path != "" && u.Path != "/":
		return errors.New("endpoint has a path; write scheme and host only, the bucket as bucket and a folder as prefix")
	}
	return c.validateEndpointHost(u)
}

// validateEndpointHost refuses an endpoint that the bucket is in already, as the dashboards of some stores show it.
func (c Config) validateEndpointHost(u *url.URL) error {
	if strings.HasSuffix(u.Hostname(), ".r2.dev") {
		return errors.New("endpoint is a public address, where no S3 is spoken; write https://<account>.r2.cloudflarestorage.com, or use an origin of the type web")
	}
	rest, ok := strings.CutPrefix(u.Host, c.Bucket+".")
	if !ok || c.Bucket == "" {
		return nil
	}
	// A bucket may well be called like the first word of the store's name: minio, at minio.example.com.
	if !strings.HasPrefix(rest, "s3") && !strings.HasSuffix(rest, ".digitaloceanspaces.com") && !strings.HasSuffix(rest, ".r2.cloudflarestorage.com") {
		return nil
	}
	// That of a content delivery network is no address of the store.
	rest = strings.Replace(rest, ".cdn.digitaloceanspaces.com", ".digitaloceanspaces.com", 1)
	return fmt.Errorf("endpoint has the bucket in its host already; write endpoint %s://%s", u.Scheme, rest)
}

// bucketInHost reports whether another store than Amazon's is asked for the bucket by a host name of its own. The SDK has
// the last word: addresses and buckets with dots have none.
func (c Config) bucketInHost() bool {
	u, err := url.Parse(c.Endpoint)
	return err == nil && c.Endpoint != "" && !c.PathStyle && net.ParseIP(u.Hostname()) == nil && !strings.Contains(c.Bucket, ".")
}

func (c Config) validateAccess() error {
	switch {
	case c.Anonymous && c.Keys != nil:
		return errors.New("anonymous and access_key contradict each other; remove one of them")
	case c.Anonymous && c.RoleARN != "":
		return errors.New("anonymous and role_arn contradict each other; remove one of them")
	case c.Anonymous && c.RequesterPays:
		return errors.New("anonymous and requester_pays contradict each other: somebody must pay; remove one of them")
	case c.RoleARN != "" && !roleShape.MatchString(c.RoleARN):
		return errors.New("role_arn is not the ARN of a role; write it like arn:aws:iam::123456789012:role/pictures")
	}
	return nil
}
