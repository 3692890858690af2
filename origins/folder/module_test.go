package folder

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyfs"

	"github.com/imageorigin/imageorigin/origins"
)

func TestCaddyfileBecomesJSON(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"an argument", `folder /srv/photos`, `{"root":"/srv/photos"}`},
		{"with a space", `folder "/srv/my photos"`, `{"root":"/srv/my photos"}`},
		{"a block", "folder {\n root {env.PHOTOS}\n}", `{"root":"{env.PHOTOS}"}`},
		{"a file system", "folder {\n fs pictures\n root media\n}", `{"root":"media","fs":"pictures"}`},
		{"a file system with a root from a placeholder", "folder {env.PHOTOS} {\n fs {env.FS}\n}", `{"root":"{env.PHOTOS}","fs":"{env.FS}"}`},
		{"a file system with an argument", "folder media {\n fs pictures\n}", `{"root":"media","fs":"pictures"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m Module
			if err := m.UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text)); err != nil {
				t.Fatal(err)
			}
			if got, err := json.Marshal(&m); string(got) != tt.want || err != nil {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestCaddyfileMistakesAreNamed(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "folder", "which folder?"},
		{"two arguments", "folder /srv my", "one argument, not 2"},
		{"unknown word", "folder {\n rot /srv\n}", `unknown option "rot"; expected root or fs`},
		{"twice", "folder {\n root /srv\n root /srv2\n}", "root is already set at Testfile:2, at Testfile:3"},
		{"twice, once as an argument", "folder /srv {\n root /srv2\n}", "root is already set at Testfile:1, at Testfile:2"},
		{"no value", "folder {\n root\n}", "wrong number of arguments; write root <path>, at Testfile:2"},
		{"two values", "folder {\n fs a b\n}", "wrong number of arguments; write fs <name>, at Testfile:2"},
		{"a block", "folder {\n root /srv {\n  x y\n }\n}", "root takes no block; write root <path>, at Testfile:2"},
		{"a brace in quotes", "folder /srv {\n \"{\" x\n}", `unknown option "{"`},
		{"the machine as a file system", "folder {\n root srv\n fs default\n}", "leave fs out and set root, at Testfile:3"},
		{"the machine, root from a placeholder", "folder {env.X} {\n fs default\n}", "leave fs out and set root, at Testfile:2"},
		{"a root that leaves the file system", "folder {\n fs {env.X}\n root /srv\n}", "without a slash in front and without \"..\", at Testfile:3"},
		{"a file system that an argument leaves", "folder ../x {\n\n fs x\n}", "without a slash in front and without \"..\", at Testfile:3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := new(Module).UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// provisioned returns m, provisioned outside of a configuration.
func provisioned(t *testing.T, m *Module) error {
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	t.Cleanup(cancel)
	return m.Provision(ctx)
}

func TestModuleServesAFolderNamedByPlaceholders(t *testing.T) {
	root := folderWith(t, map[string][]byte{"a.jpg": []byte("a")})
	secret := filepath.Join(t.TempDir(), "where")
	write(t, secret, root+"\n")
	t.Setenv("IMAGEORIGIN_TEST_ROOT", root)
	for _, text := range []string{root, "{env.IMAGEORIGIN_TEST_ROOT}", "{file." + secret + "}"} {
		m := &Module{Root: text}
		if err := provisioned(t, m); err != nil {
			t.Errorf("root %q: %v", text, err)
			continue
		}
		if got := content(t, m, "a.jpg"); got != "a" {
			t.Errorf("root %q: got %q", text, got)
		}
	}
}

func TestProvisionNamesMistakes(t *testing.T) {
	os.Unsetenv("IMAGEORIGIN_TEST_UNSET")
	for _, tt := range []struct {
		name string
		m    Module
		want string
	}{
		{"nothing", Module{}, "root is empty"},
		{"missing folder", Module{Root: filepath.Join(t.TempDir(), "missing")}, "there is no folder"},
		{"missing variable", Module{Root: "{env.IMAGEORIGIN_TEST_UNSET}"}, "root:"},
		{"unknown placeholder", Module{Root: "{http.request.host}"}, "root:"},
		{"missing variable for the file system", Module{FileSystem: "{env.IMAGEORIGIN_TEST_UNSET}"}, "fs:"},
		{"the machine as a file system", Module{FileSystem: "default", Root: "srv"}, "leave fs out"},
		{"a root that leaves the file system", Module{FileSystem: "x", Root: "/srv"}, "not a path in a file system"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := provisioned(t, &tt.m); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

func init() {
	caddy.RegisterModule(pictures{})
	caddy.RegisterModule(new(holder))
}

// pictures is a Caddy file system.
type pictures struct{}

func (pictures) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.fs.folder_test", New: func() caddy.Module { return new(pictures) }}
}

func (pictures) Open(name string) (fs.File, error) {
	return fstest.MapFS{"media/a.jpg": &fstest.MapFile{Data: []byte("a"), ModTime: time.Unix(1.7e9, 0)}}.Open(name)
}

// holder is an app that holds an origin, as the host does.
type holder struct {
	SourceRaw json.RawMessage `json:"source" caddy:"namespace=imageorigin.origins inline_key=type"`
}

func (*holder) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "folder_test", New: func() caddy.Module { return new(holder) }}
}

// held is the origin of the holder that was provisioned last.
var held *Module

func (h *holder) Provision(ctx caddy.Context) error {
	source, err := ctx.LoadModule(h, "SourceRaw")
	if err == nil {
		held = source.(*Module)
	}
	return err
}

func (*holder) Start() error { return nil }
func (*holder) Stop() error  { return nil }

func TestFileSystemsAreFoundAtRequestTime(t *testing.T) {
	persist := false
	config := &caddy.Config{
		Admin: &caddy.AdminConfig{Disabled: true, Config: &caddy.ConfigSettings{Persist: &persist}},
		AppsRaw: caddy.ModuleMap{
			"folder_test":       json.RawMessage(`{"source": {"type": "folder", "fs": "pictures", "root": "media"}}`),
			"caddy.filesystems": json.RawMessage(`{"filesystems": [{"name": "pictures", "file_system": {"backend": "folder_test"}}]}`),
		},
	}
	if err := caddy.Run(config); err != nil {
		t.Fatal(err)
	}
	defer caddy.Stop()
	if got := content(t, held, "a.jpg"); got != "a" {
		t.Errorf("got %q, want a", got)
	}

	config.AppsRaw["folder_test"] = json.RawMessage(`{"source": {"type": "folder", "fs": "missing"}}`)
	if err := caddy.Run(config); err != nil {
		t.Fatal(err)
	}
	_, err := held.Open(context.Background(), origins.Request{Key: "a.jpg"})
	if err == nil || !strings.Contains(err.Error(), `there is no file system "missing"`) {
		t.Errorf("got %v, want the file system named", err)
	}
}
