package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// forms returns the URL forms that mean the same: in the path, in the query, with encoded separators.
func forms(base, chain, file string) []string {
	if chain == "" {
		return []string{base + "/" + file}
	}
	return []string{
		base + "/tr:" + chain + "/" + file,
		base + "/" + file + "?tr=" + chain,
		base + "/" + file + "?tr=" + strings.NewReplacer(",", "%2C", ":", "%3A").Replace(chain),
	}
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask requests a URL with headers, which are names and values by turns.
func ask(t testing.TB, url string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return answer{resp.StatusCode, resp.Header, body}
}

// get returns the body of a URL that must be answered by 200.
func get(t testing.TB, url string, headers ...string) []byte {
	t.Helper()
	a := ask(t, url, headers...)
	if a.status != http.StatusOK {
		t.Fatalf("%s: got %d, ik-error %q", url, a.status, a.header.Get("Ik-Error"))
	}
	return a.body
}
