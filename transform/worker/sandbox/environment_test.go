package sandbox

import (
	"slices"
	"testing"
)

func TestEnvironmentIsAnAllowList(t *testing.T) {
	got := Environment([]string{
		"HOME=/root", "PATH=/bin", "AWS_SECRET_ACCESS_KEY=hush", "LD_PRELOAD=/usr/lib/libjemalloc.so", "GOGC=400", "MALLOC_ARENA_MAX=8", "TZ=UTC",
		"LANG=de_DE.UTF-8", "LC_ALL=C", "LCD=no", "FONTCONFIG_FILE=/srv/fonts.conf", "LD_LIBRARY_PATH=/opt/vips/lib", "VIPSHOME=/opt/vips", "LANGUAGE=", "broken",
	})
	want := append(slices.Clone(given), "LANG=de_DE.UTF-8", "LC_ALL=C", "FONTCONFIG_FILE=/srv/fonts.conf", "LD_LIBRARY_PATH=/opt/vips/lib", "VIPSHOME=/opt/vips")
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
