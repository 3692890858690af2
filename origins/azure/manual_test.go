package azure

import (
	"os"
	"strings"
	"testing"
)

func TestManualNamesEveryOption(t *testing.T) {
	text, err := os.ReadFile("../../docs/origins/azure.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range options {
		if !strings.Contains(string(text), "`"+option.Usage+"`") {
			t.Errorf("the table lacks %s", option.Usage)
		}
	}
}
