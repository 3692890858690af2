package imageurl

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

func TestParseFindsTheTransformationAndTheKey(t *testing.T) {
	for _, tt := range []struct {
		name, path, query string
		want              Address
		chain             string
	}{
		{name: "plain", path: "/a/b.jpg", want: Address{Key: "a/b.jpg"}},
		{name: "tr first", path: "/tr:w-300,h-200/a/b.jpg", want: Address{Key: "a/b.jpg"}, chain: "w-300,h-200"},
		{name: "tr in the middle", path: "/img/tr:w-300/b.jpg", want: Address{Key: "img/b.jpg"}, chain: "w-300"},
		{name: "the first tr counts", path: "/tr:w-1/tr:x/b.jpg", want: Address{Key: "tr:x/b.jpg"}, chain: "w-1"},
		{name: "encoded separators", path: "/tr%3Aw-300%2Ch-200%3Aw-10/b.jpg", want: Address{Key: "b.jpg"}, chain: "w-300,h-200:w-10"},
		{name: "encoded slash", path: "/a%2Fb.jpg", want: Address{Key: "a/b.jpg"}},
		{name: "query form", path: "/b.jpg", query: "tr=w-300%2Ch-300", want: Address{Key: "b.jpg"}, chain: "w-300,h-300"},
		{name: "path then query", path: "/tr:w-300/b.jpg", query: "tr=h-10", want: Address{Key: "b.jpg"}, chain: "w-300:h-10"},
		{name: "plus is a plus", path: "/one+one.jpg", want: Address{Key: "one+one.jpg"}},
		{name: "a name for search engines", path: "/ik-seo/DSC1234/eiffel-tower.jpg", want: Address{Key: "DSC1234.jpg"}},
		{
			name: "a name for search engines behind folders", path: "/tr:w-300/ik-seo/path/of/folder/old-file-name/seo.jpg",
			want: Address{Key: "path/of/folder/old-file-name.jpg"}, chain: "w-300",
		},
		{name: "a name for search engines before a transformation", path: "/ik-seo/a.b/tr:w-300/c.d.png", want: Address{Key: "a.b.png"}, chain: "w-300"},
		{name: "a folder that is called so", path: "/x/ik-seo/b.jpg", want: Address{Key: "x/ik-seo/b.jpg"}},
		{name: "a still", path: "/a/b.gif/ik-thumbnail.jpg", want: Address{Key: "a/b.gif", Thumbnail: true}},
		{name: "a still of a page", path: "/tr:pg-2/b.tif/ik-thumbnail.jpg", want: Address{Key: "b.tif", Thumbnail: true}, chain: "pg-2"},
		{name: "a still, transformation in the middle", path: "/b.tif/tr:pg-2/ik-thumbnail.jpg", want: Address{Key: "b.tif", Thumbnail: true}, chain: "pg-2"},
		{name: "a still, transformation at the end", path: "/b.tif/ik-thumbnail.jpg/tr:pg-2", want: Address{Key: "b.tif", Thumbnail: true}, chain: "pg-2"},
		{name: "a still by an encoded name", path: "/b.gif/ik%2Dthumbnail.jpg", query: "tr=w-3", want: Address{Key: "b.gif", Thumbnail: true}, chain: "w-3"},
		{name: "a still of a name for search engines", path: "/ik-seo/x/old/new.gif/ik-thumbnail.jpg", want: Address{Key: "x/old.gif", Thumbnail: true}},
		{name: "a still of what is called so", path: "/b.gif/ik-thumbnail.jpg/ik-thumbnail.jpg", want: Address{Key: "b.gif/ik-thumbnail.jpg", Thumbnail: true}},
		{name: "a file that is called so", path: "/ik-thumbnail.jpg", want: Address{Key: "ik-thumbnail.jpg"}},
		{name: "a folder that is called like a still", path: "/ik-thumbnail.jpg/b.gif", want: Address{Key: "ik-thumbnail.jpg/b.gif"}},
		{name: "a file that ends so", path: "/my-ik-thumbnail.jpg", want: Address{Key: "my-ik-thumbnail.jpg"}},
		{name: "percent", path: "/100%25.jpg", want: Address{Key: "100%.jpg"}},
		{name: "decoded once", path: "/a%252Fb.jpg", want: Address{Key: "a%2Fb.jpg"}},
		{name: "slashes inside stay", path: "//a//b.jpg", want: Address{Key: "a//b.jpg"}},
		{
			name: "others are passed on as written", path: "/b.jpg", query: "v=1&tr=w-3&q=a+b%20c&&x",
			want: Address{Key: "b.jpg", Query: "v=1&q=a+b%20c&x"}, chain: "w-3",
		},
		{name: "the SDK's version has no effect", path: "/b.jpg", query: "ik-sdk-version=javascript-1.4.3", want: Address{Key: "b.jpg"}},
		{
			name: "attachment", path: "/b.jpg", query: "ik-attachment=true&ik-attachment-filename=my%20file",
			want: Address{Key: "b.jpg", Attachment: true, Filename: "my file"},
		},
		{name: "no attachment", path: "/b.jpg", query: "ik-attachment=false", want: Address{Key: "b.jpg"}},
		{name: "nothing", path: "/", want: Address{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.path, tt.query)
			if err != nil {
				t.Fatalf("Parse(%q, %q): %v", tt.path, tt.query, err)
			}
			if chain := got.Chain.String(); chain != tt.chain {
				t.Errorf("chain: got %q, want %q", chain, tt.chain)
			}
			if got.Key != tt.want.Key || got.Thumbnail != tt.want.Thumbnail || got.Query != tt.want.Query || got.Attachment != tt.want.Attachment || got.Filename != tt.want.Filename {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestParseRefusesWithTheNameOfThePart(t *testing.T) {
	for _, tt := range []struct{ name, path, query, want string }{
		{"dots", "/a/../b.jpg", "", `path: must not contain "." or ".." segments`},
		{"encoded dots", "/a/%2e%2e%2fb.jpg", "", `path: must not contain "." or ".." segments`},
		{"a dot", "/./b.jpg", "", `path: must not contain "." or ".." segments`},
		{"NUL", "/a%00.jpg", "", "path: must not contain a NUL byte"},
		{"bad percent", "/a%zz.jpg", "", "path: malformed percent-encoding; write a percent sign as %25"},
		{"bad percent in tr", "/b.jpg", "tr=w-%zz", "tr: malformed percent-encoding; write a percent sign as %25"},
		{"tr twice", "/b.jpg", "tr=w-1&tr=w-2", "tr: is given twice"},
		{"attachment", "/b.jpg", "ik-attachment=yes", "ik-attachment: must be true or false"},
		{"file name", "/b.jpg", "ik-attachment-filename=..%2Fx", "ik-attachment-filename: must be a file name without slashes"},
		{"a still of a name for search engines alone", "/ik-seo/b.gif/ik-thumbnail.jpg", "", "path: behind ik-seo stands the file without its extension, then a name with it: ik-seo/folder/file/any-name.jpg"},
		{"a name for search engines alone", "/ik-seo/b.jpg", "", "path: behind ik-seo stands the file without its extension, then a name with it: ik-seo/folder/file/any-name.jpg"},
		{"a name for search engines without extension", "/ik-seo/a/b", "", "path: behind ik-seo stands the file without its extension, then a name with it: ik-seo/folder/file/any-name.jpg"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.path, tt.query)
			if e, ok := errors.AsType[*Error](err); !ok || e.Error() != tt.want {
				t.Errorf("Parse(%q, %q): got %v, want %s", tt.path, tt.query, err, tt.want)
			}
		})
	}
	for _, tt := range []struct{ name, path, query string }{
		{"empty tr", "/tr:/b.jpg", ""},
		{"unknown parameter", "/tr:nonsense-3/b.jpg", ""},
		{"in the query", "/b.jpg", "tr=w-abc"},
		{"too long together", "/tr:w-2" + strings.Repeat(":w-1", 600) + "/b.jpg", "tr=w-2" + strings.Repeat(":w-1", 600)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse(tt.path, tt.query); !isSyntax(err) {
				t.Errorf("Parse(%q, %q): got %v, want a *syntax.Error", tt.path, tt.query, err)
			}
		})
	}
}

func TestParseTellsTheTextsThatColumnsCountIn(t *testing.T) {
	for _, tt := range []struct {
		name, path, query string
		want              []string
		fails             bool
	}{
		{name: "none", path: "/b.jpg", query: "v=1"},
		{name: "both", path: "/tr%3Aw-1/b.jpg", query: "tr=w-2%2Ch-3", want: []string{"w-1", "w-2,h-3"}},
		{name: "the wrong one of the path", path: "/tr:x-y/b.jpg", query: "tr=w-2", want: []string{"x-y"}, fails: true},
		{name: "the wrong one of the query", path: "/tr:w-1/b.jpg", query: "tr=w-y", want: []string{"w-1", "w-y"}, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := Parse(tt.path, tt.query)
			if !slices.Equal(a.Texts, tt.want) || (err != nil) != tt.fails {
				t.Errorf("Parse(%q, %q): got %q, %v, want %q", tt.path, tt.query, a.Texts, err, tt.want)
			}
		})
	}
}

func isSyntax(err error) bool {
	_, ok := errors.AsType[*syntax.Error](err)
	return ok
}

func FuzzParse(f *testing.F) {
	for _, seed := range [][2]string{
		{"/tr:w-300,h-200/a/b.jpg", ""},
		{"/a%2F..%2fb", "tr=w-1"},
		{"/tr%3Aw-1%3Ah-2/%25.jpg", "v=1&ik-attachment=true"},
		{"//tr:/", "tr=&tr="},
		{"", "%tr=w-1"},
		{"/a%00", "ik-attachment-filename=%0d"},
		{"/ä/日本/😀.png", "x=%zz"},
		{"/tr:pg-2/a.gif/ik-thumbnail.jpg", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		a, err := Parse(path, query)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok && !isSyntax(err) {
				t.Fatalf("Parse(%q, %q): untyped error %v", path, query, err)
			}
			return
		}
		if strings.HasPrefix(a.Key, "/") || strings.ContainsRune(a.Key, 0) {
			t.Fatalf("Parse(%q): key %q", path, a.Key)
		}
		for segment := range strings.SplitSeq(a.Key, "/") {
			if segment == ".." || segment == "." {
				t.Fatalf("Parse(%q): key %q leaves its folder", path, a.Key)
			}
		}
		// The same thing said in the canonical way is the same thing.
		again := "/" + (&url.URL{Path: a.Key}).EscapedPath()
		if _, still := withoutThumbnail(a.Key); still && !a.Thumbnail {
			return // ik-seo leads to a file whose name asks for a still where it stands itself
		}
		if a.Thumbnail {
			again += "/ik-thumbnail.jpg"
		}
		if len(a.Chain) > 0 {
			again = "/tr:" + url.PathEscape(a.Chain.String()) + again
		}
		b, err := Parse(again, a.Query)
		if strings.HasPrefix(a.Key, "tr:") || strings.Contains(a.Key, "/tr:") {
			return // a folder named so reads as a transformation where none stands before it
		}
		if err != nil || b.Key != a.Key || b.Thumbnail != a.Thumbnail || b.Chain.String() != a.Chain.String() || b.Query != a.Query {
			t.Fatalf("Parse(%q, %q) = %+v; again %q: %+v, %v", path, query, a, again, b, err)
		}
	})
}
