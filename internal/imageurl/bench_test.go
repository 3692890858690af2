package imageurl

import "testing"

// BenchmarkParse is what every request begins with, hit or not.
func BenchmarkParse(b *testing.B) {
	for _, url := range []struct{ name, path, query string }{
		{"no transformation", "/products/shoes/red.jpg", ""},
		{"path", "/tr:w-300,h-200/products/shoes/red.jpg", ""},
		{"encoded path", "/tr%3Aw-300%2Ch-200/products/shoes/red%20shoe.jpg", ""},
		{"query", "/products/shoes/red.jpg", "tr=w-300,h-200&v=17"},
		{"path and query", "/tr:w-300,h-200/products/shoes/red.jpg", "tr=q-50&ik-attachment=true&v=17"},
	} {
		b.Run(url.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(url.path, url.query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
