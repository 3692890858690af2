package stores_test

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/e2e/stores"
)

// s3Client returns a client of the SDK that connects to addr, in one style of URLs or the other.
func s3Client(s *stores.S3Store, addr string, keys stores.Keys, region string, pathStyle bool) *s3.Client {
	endpoint := "http://" + s.Domain
	if pathStyle {
		endpoint = "http://" + addr
	}
	o := s3.Options{
		Region: region, BaseEndpoint: &endpoint, UsePathStyle: pathStyle, RetryMaxAttempts: 1,
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: stores.DialTo(addr), DisableKeepAlives: true}},
	}
	if keys.Access != "" {
		o.Credentials = credentials.NewStaticCredentialsProvider(keys.Access, keys.Secret, "")
	}
	return s3.New(o)
}

// s3Get reads an object, and returns its content or the code of the error.
func s3Get(t *testing.T, c *s3.Client, bucket, key string) (content, code string) {
	t.Helper()
	out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		var api smithy.APIError
		if !errors.As(err, &api) {
			t.Fatalf("reading %q: %v", key, err)
		}
		return "", api.ErrorCode()
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatalf("reading %q: %v", key, err)
	}
	return string(body), ""
}

func TestS3ChecksWhoAsks(t *testing.T) {
	s := stores.S3(t)
	s.Put("a.jpg", []byte("picture"), "image/jpeg", "max-age=60")
	for _, pathStyle := range []bool{true, false} {
		for _, tt := range []struct {
			name, bucket, key string
			keys              stores.Keys
			region            string
			content, code     string
		}{
			{"the reader", s.Bucket, "a.jpg", s.Reader, s.Region, "picture", ""},
			{"a missing key", s.Bucket, "b.jpg", s.Reader, s.Region, "", "NoSuchKey"},
			{"a missing bucket", "test-missing", "a.jpg", s.Reader, s.Region, "", "NoSuchBucket"},
			{"a wrong secret", s.Bucket, "a.jpg", stores.Keys{Access: s.Reader.Access, Secret: "invented"}, s.Region, "", "SignatureDoesNotMatch"},
			{"an unknown key", s.Bucket, "a.jpg", stores.Keys{Access: "AKIAUNKNOWN", Secret: "invented"}, s.Region, "", "InvalidAccessKeyId"},
			{"no key", s.Bucket, "a.jpg", stores.Keys{}, s.Region, "", "AccessDenied"},
			{"the stranger", s.Bucket, "a.jpg", s.Stranger, s.Region, "", "AccessDenied"},
			{"the stranger and a missing key", s.Bucket, "b.jpg", s.Stranger, s.Region, "", "AccessDenied"},
			{"a wrong region", s.Bucket, "a.jpg", s.Reader, "us-west-2", "", "AuthorizationHeaderMalformed"},
		} {
			c := s3Client(s, s.Addr, tt.keys, tt.region, pathStyle)
			content, code := s3Get(t, c, tt.bucket, tt.key)
			if content != tt.content || code != tt.code {
				t.Errorf("%s (path style %v): got %q and %q, want %q and %q", tt.name, pathStyle, content, code, tt.content, tt.code)
			}
		}
	}
}

func TestS3ReaderMayOnlyRead(t *testing.T) {
	s := stores.S3(t)
	c := s3Client(s, s.Addr, s.Reader, s.Region, true)
	_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &s.Bucket})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" {
		t.Errorf("listing: got %v, want AccessDenied", err)
	}
	_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &s.Bucket, Key: aws.String("x")})
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" {
		t.Errorf("writing: got %v, want AccessDenied", err)
	}
}

func TestS3KeepsWhatWasStored(t *testing.T) {
	s := stores.S3(t)
	s.Put("a.jpg", []byte("picture"), "image/jpeg", "max-age=60")
	proxy := faults.Start(t, s.Addr)
	for _, addr := range []string{s.Addr, proxy.Addr()} {
		for _, pathStyle := range []bool{true, false} {
			c := s3Client(s, addr, s.Reader, s.Region, pathStyle)
			out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &s.Bucket, Key: aws.String("a.jpg"), Range: aws.String("bytes=1-3")})
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(out.Body)
			out.Body.Close()
			if err != nil || string(body) != "ict" || aws.ToString(out.ContentType) != "image/jpeg" || aws.ToString(out.CacheControl) != "max-age=60" {
				t.Errorf("got %q, %v, %v, %v", body, err, aws.ToString(out.ContentType), aws.ToString(out.CacheControl))
			}
			for _, key := range awkward {
				s.Put(key, []byte(key), "", "")
				if content, code := s3Get(t, c, s.Bucket, key); content != key {
					t.Errorf("%q (path style %v): got %q and %q", key, pathStyle, content, code)
				}
			}
		}
	}
	if got := proxy.Counts().Requests; got != 2*(1+len(awkward)) {
		t.Errorf("the proxy has seen %d requests", got)
	}
	s.Delete("a.jpg")
	if _, code := s3Get(t, s3Client(s, s.Addr, s.Reader, s.Region, true), s.Bucket, "a.jpg"); code != "NoSuchKey" {
		t.Errorf("after it was removed: got %q", code)
	}
}
