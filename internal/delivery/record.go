package delivery

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// record is what is known of an original: enough to tell what is to be made of it, and under which name that is kept,
// without its bytes. It is not changed after it is made.
type record struct {
	Attributes origins.Attributes
	Place      int         // of its origin among the endpoint's; -1 is unknown
	Version    string      // names its bytes: a strong validator of its origin's, or a hash
	Checked    time.Time   // when its origin was last asked and said that this is the current version
	Format     plan.Format // by its first bytes, whether the engine reads it or not; Unknown is no picture's

	Facts map[int]plan.Source    `json:",omitempty"` // by page, of those that were looked at
	Trims map[string]plan.Window `json:",omitempty"` // by the digest of the look
	Seen  []string               `json:",omitempty"` // values of Request.Versions that it was checked for, the latest last

	told directives // what Attributes.CacheControl says
}

// newRecord returns the record of an original that came at that time. file is its bytes, nil if they were not read.
func (k *Keeping) newRecord(a origins.Attributes, f plan.Format, file []byte, asked time.Time) *record {
	r := &record{Attributes: a, Format: f, Place: slices.Index(k.Origins, a.Origin), Checked: asked}
	if r.Place >= 0 {
		a.Origin = strconv.Itoa(r.Place) // endpoints that share what they keep may call their origins differently
	}
	r.Version = versionOf(a, file)
	if f == plan.PDF { // the same for those who read all of it and for those to whom it streams
		r.Version = cmp.Or(versionOf(a, nil), r.Version)
	}
	if file != nil {
		r.Attributes.Size = int64(len(file)) // where the origin doesn't tell
	}
	r.told = readDirectives(a.CacheControl)
	return r
}

// origin returns the name of the origin that the original came from, as an endpoint calls it.
func (r *record) origin(k *Keeping) string {
	if r.Place >= 0 && r.Place < len(k.Origins) {
		return k.Origins[r.Place]
	}
	return r.Attributes.Origin
}

// attributes returns those of the original called key, as they are to be told at an endpoint.
func (r *record) attributes(k *Keeping, key string) origins.Attributes {
	a := r.Attributes
	a.Origin = r.origin(k)
	if r.Place >= 0 && r.Place < len(k.Canonical) {
		a.Canonical = origins.Canonical(k.Canonical[r.Place], key) // that of the record may be another endpoint's
	}
	return a
}

// versionOf names the bytes of an original: by its origin's strong validator, where there is none by a hash of the bytes,
// and where they were not read by all that the origin says; "" if that is nothing.
func versionOf(a origins.Attributes, file []byte) string {
	if v := strongValidator(a); v != "" {
		return digest(v)
	}
	if file != nil {
		sum := sha256.Sum256(file)
		return hex.EncodeToString(sum[:nameBytes])
	}
	if a.ETag == "" && a.Modified.IsZero() {
		return ""
	}
	return digest(a.Origin, a.ETag, a.Modified.UTC().Format(time.RFC3339Nano), strconv.FormatInt(a.Size, 10))
}

// nameBytes is how much of a hash names things. Who can choose what is hashed, such as a query, or the file of an origin without
// validators, finds two of one name in 2^(4*nameBytes) tries: with 8 bytes that takes minutes, and one would be served for the other.
const nameBytes = 16

// digest returns 32 hexadecimal digits that stand for some texts.
func digest(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		h.Write([]byte(strconv.Itoa(len(text)) + ":" + text))
	}
	return hex.EncodeToString(h.Sum(nil)[:nameBytes])
}

// validator returns what its origin can tell by whether it has changed.
func (r *record) validator(k *Keeping) origins.Validator {
	return origins.Validator{Origin: r.origin(k), ETag: r.Attributes.ETag, Modified: r.Attributes.Modified}
}

// renewed returns the record of the same original, which its origin called current at that time, in those words (RFC 9111
// §4.3.4).
func (r *record) renewed(asked time.Time, words error) *record {
	again := *r
	again.Checked = asked
	again.Attributes.Age = 0
	if e, ok := asOrigins(words); ok {
		again.Attributes.Age = e.Age
		if e.CacheControl != "" {
			again.Attributes.CacheControl = e.CacheControl
			again.told = readDirectives(e.CacheControl)
		}
		again.Attributes.Private = again.Attributes.Private || e.Private
	}
	return &again
}

// after returns r with what is known of the version before, if that is the same.
func (r *record) after(before *record) *record {
	if before == nil || before.Version != r.Version {
		return r
	}
	again := *r
	for page, facts := range before.Facts {
		if _, ok := again.Facts[page]; !ok {
			again = *again.withFacts(page, facts)
		}
	}
	again.Trims, again.Seen = before.Trims, before.Seen
	return &again
}

// withFacts returns r with what the header tells of a page.
func (r *record) withFacts(page int, facts plan.Source) *record {
	again := *r
	again.Facts = maps.Clone(r.Facts)
	if again.Facts == nil {
		again.Facts = map[int]plan.Source{}
	}
	if len(again.Facts) >= maxKnown {
		maps.DeleteFunc(again.Facts, func(page int, _ plan.Source) bool { return page != 0 })
	}
	again.Facts[page] = facts
	return &again
}

// withTrim returns r with what a look found.
func (r *record) withTrim(look string, w plan.Window) *record {
	again := *r
	again.Trims = maps.Clone(r.Trims)
	if again.Trims == nil || len(again.Trims) >= maxKnown {
		again.Trims = map[string]plan.Window{}
	}
	again.Trims[look] = w
	return &again
}

// maxKnown bounds what a record holds of anything that URLs bring about.
const maxKnown = 32

// withSeen returns r, checked for those values of Request.Versions.
func (r *record) withSeen(versions string) *record {
	again := *r
	again.Seen = append(slices.Clone(r.Seen), digest(versions))
	if len(again.Seen) > maxKnown {
		again.Seen = again.Seen[1:]
	}
	return &again
}

// knows reports whether the record was checked for those values.
func (r *record) knows(versions string) bool {
	return versions == "" || slices.Contains(r.Seen, digest(versions))
}

// keepable reports whether what comes of the original may be kept, and sent to everybody.
func (r *record) keepable() bool {
	a := r.Attributes
	wordy := len(a.ETag)+len(a.ContentType)+len(a.CacheControl)+len(a.Tags) > maxSaid
	return !a.Private && !r.told.never && r.Version != "" && !wordy
}

// maxSaid bounds what an origin says of an original that is remembered: records are held by the thousand.
const maxSaid = 16 << 10

// tags returns the words by which the original can be purged.
func (r *record) tags() []string { return strings.Fields(r.Attributes.Tags) }

// life says for how long a record counts.
type life struct {
	fresh   time.Duration // nobody is asked
	stale   time.Duration // since Checked: it is sent while its origin is asked
	ifError time.Duration // since Checked: it is sent if its origin can't be asked
}

// life returns how long the record counts at an endpoint.
func (r *record) life(k *Keeping) life {
	l := life{fresh: k.MaxAge}
	stale, ifError := k.Stale, k.StaleIfError
	if k.Obey {
		if r.told.hasAge {
			l.fresh = max(r.told.age-r.Attributes.Age, 0)
		}
		if r.told.shared || r.told.hasStale {
			stale = r.told.stale
		}
		if r.told.shared || r.told.hasIfError {
			ifError = r.told.ifError
		}
		if r.told.strict {
			stale, ifError = 0, 0
		}
	}
	if r.Attributes.Degraded {
		l.fresh = min(l.fresh, k.Degraded)
	}
	l.stale, l.ifError = l.fresh+stale, l.fresh+max(stale, ifError)
	return l
}

func (r *record) encode() []byte {
	data, err := json.Marshal(r)
	if err != nil {
		panic("delivery: a record that is no JSON: " + err.Error())
	}
	return data
}

func decodeRecord(data []byte) (*record, error) {
	r := new(record)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, err
	}
	r.told = readDirectives(r.Attributes.CacheControl)
	return r, nil
}

// directives are what a Cache-Control header says to shared caches (RFC 9111 §5.2.2, RFC 5861).
type directives struct {
	never      bool // no-store, private
	strict     bool // never to be sent stale: no-cache, must-revalidate, proxy-revalidate
	shared     bool // s-maxage: not to be sent stale unless that is allowed in so many words (RFC 9111 §5.2.2.10)
	age        time.Duration
	hasAge     bool
	stale      time.Duration
	hasStale   bool
	ifError    time.Duration
	hasIfError bool
}

// readDirectives reads a Cache-Control header. What is malformed counts as 0 seconds (RFC 9111 §4.2.1).
func readDirectives(header string) directives {
	var d directives
	for item := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store", "private":
			d.never = true
		case "no-cache":
			d.strict, d.age, d.hasAge, d.shared = true, 0, true, true
		case "must-revalidate", "proxy-revalidate":
			d.strict = true
		case "s-maxage":
			if !d.shared {
				d.age, d.hasAge, d.shared = seconds(value), true, true
			}
		case "max-age":
			if !d.shared {
				d.age, d.hasAge = seconds(value), true
			}
		case "stale-while-revalidate":
			d.stale, d.hasStale = seconds(value), true
		case "stale-if-error":
			d.ifError, d.hasIfError = seconds(value), true
		}
	}
	return d
}

// seconds reads delta-seconds (RFC 9111 §1.2.2), at most those of ten years.
func seconds(text string) time.Duration {
	const most = 10 * 365 * 24 * 3600
	n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(text), `"`), 10, 64)
	if err != nil {
		if strings.Trim(text, "0123456789") == "" && text != "" {
			return most * time.Second
		}
		return 0
	}
	return time.Duration(min(n, most)) * time.Second
}
