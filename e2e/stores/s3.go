package stores

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// What the S3 server is started with. The keys look like such keys, and are good for nothing else.
const (
	s3Region = "eu-test-1"
	s3Domain = "s3.localtest"
)

// Keys are an access key and its secret.
type Keys struct{ Access, Secret string }

var (
	s3Root     = Keys{"AKIAINVENTEDROOT", "invented-secret-of-the-root-user"}
	s3Reader   = Keys{"AKIAINVENTEDREADER", "invented-secret-of-the-reader"}
	s3Stranger = Keys{"AKIAINVENTEDSTRANGER", "invented-secret-of-the-stranger"}
)

// S3Store is a bucket on a Versity S3 gateway, which checks signatures of version 4.
type S3Store struct {
	Addr   string // host:port of the server
	URL    string // http:// and the same
	Region string
	Bucket string

	// Domain is what names of buckets stand before in URLs of the virtual-hosted style: it resolves nowhere, see [DialTo].
	Domain string

	Reader   Keys // may read the objects of the bucket, and nothing else
	Stranger Keys // may do nothing: whatever it asks for is denied, be it there or missing

	t      testing.TB
	client *s3.Client
}

// S3 returns a new, empty bucket.
func S3(t testing.TB) *S3Store {
	t.Helper()
	addr, err := s3Server()
	must(t, "Versity S3 gateway", err)
	s := &S3Store{
		Addr: addr, URL: "http://" + addr, Region: s3Region, Bucket: unique(), Domain: s3Domain, Reader: s3Reader, Stranger: s3Stranger,
		t: t, client: s3Client(addr),
	}
	ctx := within(t)
	if _, err := s.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &s.Bucket}); err != nil {
		t.Fatalf("creating the bucket: %v", err)
	}
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":[%q]},
		"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::%s/*"]}]}`, s.Reader.Access, s.Bucket)
	if _, err := s.client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &s.Bucket, Policy: &policy}); err != nil {
		t.Fatalf("granting the reader its right: %v", err)
	}
	return s
}

// Put stores an object. An empty contentType or cacheControl is not sent.
func (s *S3Store) Put(key string, content []byte, contentType, cacheControl string) {
	s.t.Helper()
	in := &s3.PutObjectInput{Bucket: &s.Bucket, Key: &key, Body: bytes.NewReader(content)}
	if contentType != "" {
		in.ContentType = &contentType
	}
	if cacheControl != "" {
		in.CacheControl = &cacheControl
	}
	if _, err := s.client.PutObject(within(s.t), in); err != nil {
		s.t.Fatalf("storing %q: %v", key, err)
	}
}

// Delete removes an object.
func (s *S3Store) Delete(key string) {
	s.t.Helper()
	if _, err := s.client.DeleteObject(within(s.t), &s3.DeleteObjectInput{Bucket: &s.Bucket, Key: &key}); err != nil {
		s.t.Fatalf("removing %q: %v", key, err)
	}
}

// s3Client returns a client with all rights.
func s3Client(addr string) *s3.Client {
	return s3.New(s3.Options{
		Region:                     s3Region,
		BaseEndpoint:               aws.String("http://" + addr),
		UsePathStyle:               true,
		Credentials:                credentials.NewStaticCredentialsProvider(s3Root.Access, s3Root.Secret, ""),
		HTTPClient:                 &http.Client{Transport: s3Transport()},
		RetryMaxAttempts:           1,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
}

var s3Transport = sync.OnceValue(transport)

// s3Server starts the server and returns its address.
var s3Server = sync.OnceValues(func() (string, error) {
	program, err := built("versitygw")
	if err != nil {
		return "", err
	}
	data, err := tempDir("s3", holdsAttributes)
	if err != nil {
		return "", err
	}
	users, err := tempDir("s3-users", func(string) error { return nil })
	if err != nil {
		return "", err
	}
	server, addrs, err := onFreePorts(2, func(addrs []string) (*process, error) {
		return start(users, nil, program,
			"--port", addrs[0], "--admin-port", addrs[1], "--access", s3Root.Access, "--secret", s3Root.Secret,
			"--region", s3Region, "--virtual-domain", s3Domain, "--iam-dir", users, "--keep-alive", "--quiet", "posix", data)
	})
	if err != nil {
		return "", err
	}
	running.add(server.stop)
	for _, user := range []Keys{s3Reader, s3Stranger} {
		admin := exec.Command(program, "admin", "--allow-insecure", "-a", s3Root.Access, "-s", s3Root.Secret,
			"-er", "http://"+addrs[1], "--region", s3Region, "create-user", "-a", user.Access, "-s", user.Secret, "-r", "user")
		admin.Env = environment(users)
		if out, err := admin.CombinedOutput(); err != nil {
			return "", fmt.Errorf("creating a user: %w: %s", err, strings.TrimSpace(string(out)))
		}
	}
	return addrs[0], nil
})
