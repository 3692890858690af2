package gcs

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/imageorigin/imageorigin/origins/remote"
)

// serviceAccount is the word by which a JSON file says that it is the key of a service account.
const serviceAccount = "service_account"

// ServiceAccount is the key of a service account, by its parts.
type ServiceAccount struct {
	ClientEmail  string
	PrivateKey   string // PEM; its line breaks may be written as \n
	PrivateKeyID string // "": none is told
	TokenURI     string // where tokens are fetched; "": Google's
}

// keyDocument is what of the JSON is of interest here.
type keyDocument struct {
	Type         string `json:"type"`
	ClientEmail  string `json:"client_email"`
	PrivateKey   string `json:"private_key"`
	PrivateKeyID string `json:"private_key_id,omitempty"`
	TokenURI     string `json:"token_uri,omitempty"`
}

// JSON returns the key as a file would hold it.
func (a ServiceAccount) JSON() []byte {
	document, err := json.Marshal(keyDocument{
		Type: serviceAccount, ClientEmail: a.ClientEmail, PrivateKeyID: a.PrivateKeyID, TokenURI: a.TokenURI,
		PrivateKey: strings.TrimSpace(strings.ReplaceAll(a.PrivateKey, `\n`, "\n")) + "\n",
	})
	if err != nil {
		panic(err) // texts can always be marshalled
	}
	return document
}

// Check says what is wrong with the key, without repeating it.
func (a ServiceAccount) Check() error { return checkKey(a.JSON()) }

// checkRest does as Check, but for the private key.
func (a ServiceAccount) checkRest() error { return checkAccount(a.ClientEmail, a.TokenURI) }

// checkKey says what is wrong with the JSON of a key, without repeating it.
func checkKey(text []byte) error {
	var key keyDocument
	if err := json.Unmarshal(text, &key); err != nil {
		return errors.New("it is no JSON; use the file that `gcloud iam service-accounts keys create` writes")
	}
	if key.Type != serviceAccount {
		return otherType(key.Type)
	}
	if err := checkAccount(key.ClientEmail, key.TokenURI); err != nil {
		return err
	}
	return checkPrivateKey(key.PrivateKey)
}

func checkAccount(email, tokenURI string) error {
	if !strings.Contains(email, "@") {
		return errors.New("client_email is no address; write that of the service account, NAME@PROJECT.iam.gserviceaccount.com")
	}
	if tokenURI == "" {
		return nil
	}
	u, err := url.Parse(tokenURI)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("token_uri is no URL; leave it out, or write https://oauth2.googleapis.com/token")
	}
	return nil
}

// otherType returns the error of credentials that are no key of a service account.
func otherType(word string) error {
	switch word {
	case "external_account", "impersonated_service_account", "authorized_user", "external_account_authorized_user":
		return fmt.Errorf("it is of the type %s; name it by the environment variable %s, and leave credentials_file out", word, defaultsVariable)
	}
	return errors.New(`it is no key of a service account, whose "type" is "service_account"`)
}

func checkPrivateKey(text string) error {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return errors.New("private_key is not in PEM form; write all of it, from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	if _, ok := parsed.(*rsa.PrivateKey); err != nil || !ok {
		return errors.New("private_key is no private RSA key, or a damaged one; copy it again from the service account's JSON")
	}
	return nil
}

// KeyFile is a file with the JSON of a service account's key, which is read again when it changes. See [NewKeyFile].
type KeyFile struct {
	name string

	mu    sync.Mutex
	value []byte
	seen  os.FileInfo // when it was read
}

// NewKeyFile reads the file called name. It must hold a key of a service account.
func NewKeyFile(name string) (*KeyFile, error) {
	f := &KeyFile{name: name}
	var err error
	f.value, f.seen, err = readKey(name)
	return f, err
}

func readKey(name string) ([]byte, os.FileInfo, error) {
	// Looked at before it is read: a file that changes in between is read again.
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, fmt.Errorf("reading credentials_file: %w", err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, fmt.Errorf("reading credentials_file: %w", err)
	}
	if err := checkKey(text); err != nil {
		return nil, nil, fmt.Errorf("credentials_file %s: %w", name, err)
	}
	return text, info, nil
}

// Value returns the key as it is now. While the file is missing or holds no whole key, as in the middle of a
// rotation, it is what it was.
func (f *KeyFile) Value() []byte {
	info, err := os.Stat(f.name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil || remote.SameFile(info, f.seen) {
		return f.value
	}
	if value, seen, err := readKey(f.name); err == nil {
		f.value, f.seen = value, seen
	}
	return f.value
}

// String hides the key from whatever prints it.
func (f *KeyFile) String() string { return "(key of a service account)" }

// GoString hides the key from %#v.
func (f *KeyFile) GoString() string { return f.String() }
