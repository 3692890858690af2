package caddymodule

import "testing"

func TestLiteralSecretsAreToldApart(t *testing.T) {
	for text, want := range map[string]bool{"": false, "hunter2": true, "{env.X}": false, "{file./x}": false, "a{env.X}": false, "{x}": true} {
		if got := literalSecret(text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
