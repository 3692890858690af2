package caddymodule

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/internal/block"
)

func TestManualHasEveryOptionOfTheCaddyfile(t *testing.T) {
	manual := page(t, "../docs/caddyfile.md")
	usages := slices.Concat(usagesOf(globalOptions), usagesOf(limitOptions), usagesOf(originOptions), usagesOf(endpointOptions), usagesOf(handlerOptions),
		usagesOf(webhookOptions), usagesOf(apiOptions), usagesOf(matcherOptions), usagesOf(permissionOptions))
	for _, usage := range usages {
		// In a block of its own line, as the grammar has it.
		if !strings.Contains(manual, "\n"+usage+"\n") && !strings.Contains(manual, "\n"+usage+" {") {
			t.Errorf("the grammar lacks %q", usage)
		}
		word, _, _ := strings.Cut(usage, " ")
		if !strings.Contains(manual, "| `"+word) && !strings.Contains(manual, "\n### `"+word) {
			t.Errorf("the manual doesn't explain %q", word)
		}
	}
	for _, word := range laterLimits {
		if !strings.Contains(manual, "`"+word+"`") {
			t.Errorf("the manual doesn't say that %q is not supported", word)
		}
	}
}

// page returns a page with single spaces between words and none at the ends of lines.
func page(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return strings.Join(lines, "\n")
}

func usagesOf[T any](options []block.Option[T]) []string {
	var usages []string
	for _, o := range options {
		usages = append(usages, strings.TrimSuffix(o.Usage, " { ... }"))
	}
	return usages
}

func TestManualHasEveryFieldOfTheJSON(t *testing.T) {
	manual := page(t, "../docs/json.md")
	for _, config := range []any{App{}, Cache{}, Origin{}, Breaker{}, NamedOrigin{}, Endpoint{}, Sizes{}, Variants{}, Limits{}, Handler{}, PurgeWebhook{}, API{}, APIRate{}, Matcher{}, Permission{}} {
		kind := reflect.TypeOf(config)
		for i := range kind.NumField() {
			name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
			if name != "" && !strings.Contains(manual, `"`+name+`":`) {
				t.Errorf("the example lacks %s.%s", kind.Name(), name)
			}
		}
	}
}
