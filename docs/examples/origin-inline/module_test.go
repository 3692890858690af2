package inline

import (
	"io"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

func TestInlineConforms(t *testing.T) {
	var m *Module
	originstest.Run(t, originstest.Config{
		Seekable: true,
		New: func(_ *testing.T, files map[string][]byte) origins.Origin {
			m = &Module{files: files}
			return m
		},
		Replace: func(_ *testing.T, key string, content []byte) { m.files[key] = content },
	})
}

func TestFilesStandInTheCaddyfile(t *testing.T) {
	t.Setenv("IMAGEORIGIN_TEST_COLOR", "teal")
	var m Module
	err := m.UnmarshalCaddyfile(caddyfile.NewTestDispenser("inline {\n file logo.svg `<svg fill=\"{env.IMAGEORIGIN_TEST_COLOR}\"/>`\n file empty \"\"\n}"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	if err := m.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	obj, err := m.Open(t.Context(), origins.Request{Key: "logo.svg"})
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Body.Close()
	if content, err := io.ReadAll(obj.Body); string(content) != `<svg fill="teal"/>` || err != nil {
		t.Errorf("got %q, %v", content, err)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"inline x":                          "wrong argument count",
		"inline {\n files a b\n}":           `unknown option "files"; expected file`,
		"inline {\n file a\n}":              "wrong argument count",
		"inline {\n file a 1\n file a 2\n}": `file "a" is already there`,
	} {
		if err := new(Module).UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
