package folder

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestTargetsTellWhatIsRead(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "a b"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	t.Setenv("IMAGEORIGIN_TEST_ROOT", root)
	whole, err := filepath.Abs(".") // as the machine knows it
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		m    Module
		want string
	}{
		{"a folder", Module{Root: whole}, fmt.Sprintf("folder %q", whole)},
		{"with a slash", Module{Root: whole + "/"}, fmt.Sprintf("folder %q", whole)},
		{"by a detour", Module{Root: whole + "/a b/.."}, fmt.Sprintf("folder %q", whole)},
		{"from here", Module{Root: "."}, fmt.Sprintf("folder %q", whole)},
		{"by a placeholder", Module{Root: "{env.IMAGEORIGIN_TEST_ROOT}/a b"}, fmt.Sprintf("folder %q", filepath.Join(root, "a b"))},
		{"a file system", Module{FileSystem: "pictures"}, `folder "." fs "pictures"`},
		{"a folder of a file system", Module{FileSystem: "pictures", Root: "media/"}, `folder "media" fs "pictures"`},
		{"of another one", Module{FileSystem: "photos", Root: "./media"}, `folder "media" fs "photos"`},
	} {
		if err := provisioned(t, &tt.m); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := tt.m.Target(); got != tt.want || tt.m.ReadsQuery() || tt.m.ForwardsHost() {
			t.Errorf("%s: got %s, query %v, host %v, want %s alone", tt.name, got, tt.m.ReadsQuery(), tt.m.ForwardsHost(), tt.want)
		}
	}
}
