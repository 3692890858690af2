package imageurl

import "testing"

// attack 15: URLs that mean one file have one key and one chain; names that a store may tell apart are never put together.
func TestOneFileHasOneKeyAndTwoHaveTwo(t *testing.T) {
	type uri struct{ path, query string }
	meaning := func(u uri) string {
		a, err := Parse(u.path, u.query)
		if err != nil {
			t.Fatalf("%+v: %v", u, err)
		}
		return a.Key + "|" + a.Chain.String() + "|" + a.Query
	}
	for _, same := range [][]uri{
		{{"/a/b.jpg", ""}, {"a/b.jpg", ""}, {"//a/b.jpg", ""}, {"/%61/b.jpg", ""}, {"/a%2Fb.jpg", ""}, {"/a%2fb.jpg", ""}, {"/a/b.jpg", "&&"}, {"/ik-seo/a/b/x.jpg", ""}},
		{{"/one+one.jpg", ""}, {"/one%2Bone.jpg", ""}, {"/one%2bone.jpg", ""}},
		{{"/a%20b.jpg", ""}, {"/%61%20%62.jpg", ""}},
		{{"/a.jpg", "tr=w-1"}, {"/a.jpg", "tr=w-1.0"}},
		{
			{"/tr:w-10,h-5/a.jpg", ""},
			{"/tr:h-5,w-10/a.jpg", ""},
			{"/a.jpg", "tr=w-10,h-5"},
			{"/a.jpg", "tr=h-5%2Cw-10"},
			{"/a.jpg", "%74r=w-10,h-5"},
			{"/%74r:w-10,h-5/a.jpg", ""},
			{"/tr%3Aw-10%2Ch-5/a.jpg", ""},
			{"/a.jpg", "ik-sdk-version=js-1&tr=w-10,h-5"},
			{"/a.jpg", "ik-s=0&tr=w-10,h-5&ik-t=1"},
		},
		{{"/tr:w-10/a.jpg", "tr=h-5"}, {"/tr:w-10:h-5/a.jpg", ""}, {"/a.jpg", "tr=w-10:h-5"}},
	} {
		for _, u := range same[1:] {
			if got, want := meaning(u), meaning(same[0]); got != want {
				t.Errorf("%+v means %q, and %+v %q", u, got, same[0], want)
			}
		}
	}
	seen := map[string]uri{}
	for _, u := range []uri{
		{"/a/b.jpg", ""},
		{"/A/b.jpg", ""},
		{"/a/b.JPG", ""},
		{"/a//b.jpg", ""},
		{"/a/b.jpg;", ""},
		{"/a/b.jpg;x", ""},
		{"/a/b.jpg/", ""},
		{"/a/b.jpg%20", ""},
		{"/a%5Cb.jpg", ""},
		{"/a/b.jpg%3Fx=1", ""},
		{"/a/b.jpg", "x=1"},
		{"/a/b.jpg", "x=1&x=1"},
		{"/a/b.jpg", "x=1&y=2"},
		{"/a/b.jpg", "y=2&x=1"},
		{"/a/b.jpg", "x=%31"},
		{"/a/b.jpg", "tr[]=w-1"},
		{"/a/b.jpg", "TR=w-1"},
		{"/a/b.jpg", "tr=w-1"},
		{"/a/b.jpg%23x", ""},
		{"/a/b%2520c.jpg", ""},
		{"/a/b%20c.jpg", ""},
		{"/a/b+c.jpg", ""},
		{"/caf%C3%A9.jpg", ""},
		{"/cafe%CC%81.jpg", ""},
		{"/caf%E9.jpg", ""},
		{"/tr:w-10:h-5/a.jpg", ""},
		{"/tr:w-10,h-5/a.jpg", ""},
		{"/tr:h-5:w-10/a.jpg", ""},
		{"/a/tr:w-10/tr:h-5/b.jpg", ""},
	} {
		m := meaning(u)
		if other, taken := seen[m]; taken {
			t.Errorf("%+v and %+v both mean %q", u, other, m)
		}
		seen[m] = u
	}
	for _, u := range []uri{{"/a.jpg", "tr=w-1&tr=w-1"}, {"/a.jpg", "tr=w-1&%74r=w-2"}, {"/tr:w-1,w-2/a.jpg", ""}, {"/a.jpg", "ik-attachment=true&ik-attachment=true"}, {"/a.jpg", "ik-s=1&ik-s=1"}} {
		if a, err := Parse(u.path, u.query); err == nil {
			t.Errorf("%+v says something twice and means %+v", u, a)
		}
	}
}
