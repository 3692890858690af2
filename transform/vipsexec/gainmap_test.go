package vipsexec

import (
	"testing"
)

func TestXMPTellsNothingOfWhatIsGone(t *testing.T) {
	const head, tail = `<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">`,
		`</rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
	const author = `<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title='a &lt; "b"'><!-- by --><dc:creator>Zoe &amp; Co</dc:creator></rdf:Description>`
	for _, tt := range []struct{ name, in, want string }{
		{"nothing to do", head + author + tail, head + author + tail},
		{
			"attributes of a gain map",
			head + `<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" hdrgm:Version="1.0" dc:rights="a &lt; &quot;b&quot;" hdrgm:GainMapMax="3.5"/>` + author + tail,
			head + `<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:rights="a &lt; &#34;b&#34;"/>` + author + tail,
		},
		{
			"elements of a gain map, under another prefix",
			head + `<rdf:Description xmlns:g="http://ns.adobe.com/hdr-gain-map/1.0/"><g:GainMapMax><rdf:Seq><rdf:li>3</rdf:li></rdf:Seq></g:GainMapMax><g:Version/>kept</rdf:Description>` + author + tail,
			head + `<rdf:Description>kept</rdf:Description>` + author + tail,
		},
		{
			"the directory of a telephone",
			head + `<rdf:Description xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/"><Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Length="9"/></rdf:li></rdf:Seq></Container:Directory></rdf:Description>` + author + tail,
			head + `<rdf:Description xmlns:Item="http://ns.google.com/photos/1.0/container/item/"></rdf:Description>` + author + tail,
		},
		{
			"a moving photograph",
			head + `<rdf:Description xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1" GCamera:BurstID="7" GCamera:MicroVideoOffset="99"/>` + tail,
			head + `<rdf:Description xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:BurstID="7"/>` + tail,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := alone([]byte(tt.in))
			if err != nil || string(got) != tt.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
	if _, err := alone([]byte(`<a xmlns:g="` + appendedNamespaces[0] + `" <<`)); err == nil {
		t.Error("broken XMP about a gain map is no error")
	}
}

func FuzzXMPTellsNothingOfWhatIsGone(f *testing.F) {
	f.Add(`<a xmlns:g="http://ns.adobe.com/hdr-gain-map/1.0/" g:Version="1"><g:b><c/></g:b>d</a>`)
	f.Add(`<a xmlns:c="http://ns.google.com/photos/1.0/container/"><c:Directory/></a>`)
	f.Fuzz(func(t *testing.T, xmp string) {
		got, err := alone([]byte(xmp))
		if err != nil {
			return
		}
		if len(got) > 8*len(xmp) { // an escaped quotation mark has five bytes
			t.Errorf("%d bytes became %d", len(xmp), len(got))
		}
		if !mentionsAppended([]byte(xmp)) && string(got) != xmp {
			t.Errorf("%q became %q", xmp, got)
		}
	})
}
