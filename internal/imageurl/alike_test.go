package imageurl

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/chaintest"
)

// TestWhereAndHowAChainIsWrittenHasNoMeaning writes random chains into path and query, encoded more or less, and some of their
// steps by a name: what results are kept by is the same.
func TestWhereAndHowAChainIsWrittenHasNoMeaning(t *testing.T) {
	const rounds = 3000
	compared := 0
	for seed := range uint64(rounds) {
		w := chaintest.New(seed, 2000)
		text := w.Plausible()
		if strings.Contains(","+strings.ReplaceAll(text, ":", ","), ",n-") {
			continue // names that nobody declares
		}
		compared++
		whole, err := syntax.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		// Each step, or the name of a chain that it is; from one of them on they stand in the query.
		book := map[string]syntax.Chain{}
		steps := make([]string, len(whole))
		for i, step := range whole {
			if steps[i] = step.String(); w.One(3) {
				name := fmt.Sprintf("step_%d", i)
				book[name], steps[i] = whole[i:i+1], "n-"+name
			}
		}
		at := w.IntN(len(whole) + 1)
		path, query := "/a/b.jpg", "v=1"
		if at > 0 {
			path = "/a/tr:" + escaped(w, strings.Join(steps[:at], ":")) + "/b.jpg"
		}
		if at < len(whole) {
			query += "&tr=" + escaped(w, strings.Join(steps[at:], ":"))
		}
		a, err := Parse(path, query)
		if err == nil {
			err = a.Expand(book)
		}
		if err != nil || a.Chain.String() != whole.String() || a.Key != "a/b.jpg" || a.Query != "v=1" {
			t.Fatalf("%s?%s is %q of %s with %q, %v; want %q", path, query, a.Chain, a.Key, a.Query, err, whole)
		}
	}
	if compared < rounds/2 {
		t.Errorf("%d of %d chains were compared: the test proves little", compared, rounds)
	}
}

// escaped writes some characters as a URL may have them, too, and those as it must have them that mean something to it.
func escaped(w chaintest.Writer, text string) string {
	var b strings.Builder
	for i := range len(text) {
		if w.One(5) {
			fmt.Fprintf(&b, "%%%02x", text[i])
			continue
		}
		b.WriteString(url.PathEscape(text[i : i+1]))
	}
	return b.String()
}
