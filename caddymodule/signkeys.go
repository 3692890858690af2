package caddymodule

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/internal/block"
)

// The words of signed_only.
const (
	signedOnlyAll    = "all"
	signedOnlyImages = "images"
)

var signedOnlyWords = []string{signedOnlyImages, signedOnlyAll}

// Bounds of what signs URLs. Each key is tried on each signature; a short one is found by trying by whoever has a signed URL.
const (
	maxKeys    = 16
	minKeySize = 8
)

// readSignedOnly reads a word that may be left out.
func readSignedOnly(e *Endpoint, args []string) error {
	if e.SignedOnly = signedOnlyAll; len(args) == 0 {
		return nil
	}
	return block.One(func(e *Endpoint) *string { return &e.SignedOnly })(e, args)
}

// checkSign judges the keys as far as they are known before the config is loaded.
func (e *Endpoint) checkSign() error {
	if len(e.Sign) > maxKeys {
		return fmt.Errorf("%d keys are too many; an endpoint has at most %d", len(e.Sign), maxKeys)
	}
	for i, key := range e.Sign {
		if hasPlaceholder(key) {
			continue
		}
		if err := checkSigningKey(i, key); err != nil {
			return err
		}
	}
	return nil
}

// checkSigningKey says what is wrong with a key, without telling it.
func checkSigningKey(i int, key string) error {
	if len(key) < minKeySize {
		return fmt.Errorf("key %d is shorter than %d bytes, so that it can be guessed; take a random one of 32", i+1, minKeySize)
	}
	return nil
}

// errNoSign is the error of an endpoint that nobody could ask for anything.
var errNoSign = errors.New("signed_only: no key is set, so that no URL could be signed; set sign, or leave signed_only out")

// checkSigns judges the words about signatures beside each other.
func checkSigns(e *Endpoint) error {
	if e.SignedOnly != "" && len(e.Sign) == 0 {
		return errNoSign
	}
	return nil
}

// checkSigning judges the same words of a Caddyfile; set tells where each stands, and what names the endpoint in warnings.
func checkSigning(e *Endpoint, set map[string]block.Place, what string) error {
	if err := checkSigns(e); err != nil {
		return set["signed_only"].Wrap(err)
	}
	if slices.ContainsFunc(e.Sign, literalSecret) {
		warnPlainSecret(set["sign"], what, "sign")
	}
	return nil
}

// checkKeys judges the words about signatures of one endpoint, by itself and beside those before it.
func (g *globalBlock) checkKeys(name string) error {
	e, at := g.app.Endpoints[name], g.endpointAt[name]
	if err := checkSigning(e, at, fmt.Sprintf("endpoint %q", name)); err != nil {
		return err
	}
	for _, other := range g.endpoints[:slices.Index(g.endpoints, name)] {
		o := g.app.Endpoints[other]
		if e.SharedKey && o.SharedKey {
			continue
		}
		if slices.ContainsFunc(e.Sign, func(key string) bool { return slices.Contains(o.Sign, key) }) {
			return at["sign"].Errf("endpoint %q: %w; that one's stands at %s", name, errShared(other), g.endpointAt[other]["sign"])
		}
	}
	return nil
}

// keyOwner is an endpoint that has a key.
type keyOwner struct {
	name   string
	shared bool
}

// errShared is the error of a key that another endpoint has as well.
func errShared(other string) error {
	return fmt.Errorf("sign: endpoint %q has one of the keys, too, so that a signature for a file here opens the file of that name there; "+
		"take another key, or say shared_key in both", other)
}

// claimKeys returns the keys that sign an endpoint's URLs, with their placeholders replaced, and notes whose they are.
func (a *App) claimKeys(r *caddy.Replacer, name string, config *Endpoint) ([][]byte, error) {
	keys, err := config.signingKeys(r)
	if err != nil {
		return nil, err
	}
	if a.keyOwners == nil {
		a.keyOwners = map[[sha256.Size]byte]keyOwner{}
	}
	hashes := make([][sha256.Size]byte, len(keys))
	for i, key := range keys {
		hashes[i] = sha256.Sum256(key)
		if owner, taken := a.keyOwners[hashes[i]]; taken && (!owner.shared || !config.SharedKey) {
			return nil, errShared(owner.name)
		}
	}
	for _, hash := range hashes {
		a.keyOwners[hash] = keyOwner{name, config.SharedKey}
	}
	return keys, nil
}

// signingKeys returns the keys with their placeholders replaced.
func (e *Endpoint) signingKeys(r *caddy.Replacer) ([][]byte, error) {
	var keys [][]byte
	for i, key := range e.Sign {
		if err := expand(r, "sign", &key); err != nil {
			return nil, err
		}
		key = strings.TrimRight(key, "\r\n") // files end in one
		if err := checkSigningKey(i, key); err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		keys = append(keys, []byte(key))
	}
	return keys, nil
}

// errAnywhere is the error of an endpoint that anybody could make fetch anything.
func errAnywhere(origin string) error {
	return fmt.Errorf("origins: %q fetches whatever URL it is asked for, so only an endpoint may have it that answers signed URLs alone: "+
		"set sign and signed_only, or list the hosts that the origin may ask, such as images.example.com or *.example.com", origin)
}

// goesAnywhere reports whether a source fetches whatever it is asked for. Sources may say so.
func goesAnywhere(source any) bool {
	s, ok := source.(interface{ Anywhere() bool })
	return ok && s.Anywhere()
}

// checkAnywhere refuses origins of the config that fetch whatever they are asked for, unless those who ask are known. What is
// wrong with a source otherwise is told where it is loaded.
func checkAnywhere(e *Endpoint, names []string, all map[string]*Origin) error {
	if e.SignedOnly == signedOnlyAll {
		return nil
	}
	for _, name := range names {
		o := all[name]
		if o == nil {
			continue
		}
		info, err := caddy.GetModule(originNamespace + "." + guestType(o.Source))
		if err != nil {
			continue
		}
		source := info.New()
		if json.Unmarshal(o.Source, source) == nil && goesAnywhere(source) {
			return errAnywhere(name)
		}
	}
	return nil
}
