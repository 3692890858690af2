package azure

import (
	"errors"
	"net/url"
	"strings"
	"time"
)

// sas is a shared access signature: a query that grants what it says, until it says.
type sas struct{ values url.Values }

// parseSAS reads a SAS as people have it. Its errors don't repeat text.
func parseSAS(text string) (sas, error) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "?")
	if strings.Contains(text, "://") {
		return sas{}, errors.New("the SAS is a whole URL; take what follows its question mark")
	}
	// There is no space in a SAS: a plus sign is one of Base64 that somebody forgot to escape.
	values, err := url.ParseQuery(strings.ReplaceAll(text, "+", "%2B"))
	if err != nil || values.Get("sig") == "" {
		return sas{}, errors.New("the SAS is cut off or not a SAS, which reads like sv=…&sr=c&sp=r&se=…&sig=…")
	}
	s := sas{values}
	if why := s.lacks(); why != "" {
		return sas{}, errors.New("the SAS " + why)
	}
	return s, nil
}

// query returns the SAS as it stands in a URL.
func (s sas) query() string { return s.values.Encode() }

// lacks says why the SAS never lets anybody read a blob, "" if it may. What a stored access policy (si) grants can't be
// seen.
func (s sas) lacks() string {
	without := func(name, letter string) bool {
		value := s.values.Get(name)
		return value != "" && !strings.Contains(value, letter)
	}
	switch {
	case without("sp", "r"):
		return "lacks the permission r; make one with sp=r"
	case without("ss", "b"):
		return "is not for blobs; make one with ss=b"
	case without("srt", "o"):
		return "does not reach the blobs in containers; make one with srt=o"
	}
	return ""
}

// outside says that now is not within the time of the SAS, "" if it is or the SAS doesn't say.
func (s sas) outside(now time.Time) string {
	const layout = "2006-01-02 15:04 MST"
	if end, ok := s.time("se"); ok && !now.Before(end) {
		return "expired on " + end.Format(layout)
	}
	if start, ok := s.time("st"); ok && now.Before(start) {
		return "is not valid before " + start.Format(layout)
	}
	return ""
}

// time returns one of the times of the SAS, in the forms that Azure accepts.
func (s sas) time(name string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, s.values.Get(name)); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
