package origins_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

func TestTagsAreWordsInOrderEachOnce(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, tt := range []struct {
		name   string
		values []string
		want   string
	}{
		{"none", nil, ""},
		{"nothing in them", []string{"", " , ,, \t"}, ""},
		{"commas", []string{"a,b, c"}, "a b c"},
		{"spaces", []string{"a b  c"}, "a b c"},
		{"tabs", []string{"a\tb"}, "a b"},
		{"several lists, each word once", []string{"a, b", "b c", "a,d"}, "a b c d"},
		{"the letter's case counts", []string{"Shoe,shoe"}, "Shoe shoe"},
		{"all that is visible", []string{`!"#$%&'()*+-./:;<=>?@[\]^_{|}~`}, `!"#$%&'()*+-./:;<=>?@[\]^_{|}~`},
		{"other characters", []string{"a,sch\u00f6n,b\x00c,d\x7fe,\xff,f"}, "a f"},
		{"lines", []string{"a\r\nb,c"}, "c"},
		{"as long as can be", []string{long}, long},
		{"longer", []string{long + "x,a"}, "a"},
	} {
		if got := origins.Tags(tt.values...); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTagsAreBounded(t *testing.T) {
	var many, large []string
	for i := range 100 {
		many = append(many, fmt.Sprint("tag", i))
		large = append(large, fmt.Sprintf("%0255d", i))
	}
	if got, want := origins.Tags(many...), strings.Join(many[:64], " "); got != want {
		t.Errorf("of 100 words: got %d, want the first 64", strings.Count(got, " ")+1)
	}
	if got, want := origins.Tags(strings.Join(large, ",")), strings.Join(large[:32], " "); got != want { // 32 * 256 is 8 KiB
		t.Errorf("of 25 KiB: got %d bytes, want %d", len(got), len(want))
	}
	if got := origins.Tags(strings.Join(append(large[:31], strings.Repeat("y", 256)), ",")); len(got) != 8<<10 {
		t.Errorf("of 8 KiB to the byte: got %d bytes, want all of it", len(got))
	}
}

func FuzzTags(f *testing.F) {
	f.Add("a, b", "c d")
	f.Add("\xff,\u00e9", ",")
	f.Fuzz(func(t *testing.T, a, b string) {
		got := origins.Tags(a, b)
		if again := origins.Tags(got); again != got || len(got) > 8<<10 || strings.Count(got, " ") > 63 || strings.Contains(got, ",") {
			t.Errorf("%q, %q: got %q, of which %q is made", a, b, got, again)
		}
	})
}
