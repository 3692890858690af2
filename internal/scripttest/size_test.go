package scripttest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

type size struct{ width, height int }

func (s size) String() string { return fmt.Sprintf("%dx%d", s.width, s.height) }

// asked is the size that a URL asks for; zero where it leaves a side to the picture.
type asked struct {
	size
	inside bool // c-at_max and its like: at most this size, one side exact
}

// askedSize reads the size out of the last step of the URL's transformation that has one.
func askedSize(u *url.URL) (asked, error) {
	chain := u.Query().Get("tr")
	for segment := range strings.SplitSeq(u.Path, "/") {
		if text, ok := strings.CutPrefix(segment, "tr:"); ok {
			chain = text
		}
	}
	var a asked
	for step := range strings.SplitSeq(chain, ":") {
		var now asked
		for param := range strings.SplitSeq(step, ",") {
			name, value, _ := strings.Cut(param, "-")
			switch name {
			case "w", "h":
				n, err := strconv.Atoi(value)
				if err != nil || n < 2 {
					return a, fmt.Errorf("%s is not a plain number of pixels", param)
				}
				if name == "w" {
					now.width = n
				} else {
					now.height = n
				}
			case "c":
				now.inside = strings.HasPrefix(value, "at_max")
			}
		}
		if now.size != (size{}) {
			a = now
		}
	}
	if a.size == (size{}) {
		return a, errors.New("asks for no size")
	}
	return a, nil
}

// compare says what is wrong with the size that was got; nothing if it is what was asked for.
func (a asked) compare(got size) string {
	fits := func(got, want int) bool { return want == 0 || got == want || a.inside && got < want }
	exact := got.width == a.width || got.height == a.height
	if got.width < 1 || got.height < 1 || !exact || !fits(got.width, a.width) || !fits(got.height, a.height) {
		return fmt.Sprintf("want %v", a.size)
	}
	return ""
}

// pictureSize reads the size of a JPEG, PNG, GIF or WebP picture.
func pictureSize(data []byte) (size, error) {
	if len(data) >= 30 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP" {
		return webpSize(data)
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	return size{config.Width, config.Height}, err
}

// webpSize reads the first chunk, which tells the size in one of three ways (RFC 9649, section 2.5 to 2.7).
func webpSize(data []byte) (size, error) {
	switch string(data[12:16]) {
	case "VP8 ":
		const mask = 1<<14 - 1
		return size{
			int(binary.LittleEndian.Uint16(data[26:])) & mask,
			int(binary.LittleEndian.Uint16(data[28:])) & mask,
		}, nil
	case "VP8L":
		bits := binary.LittleEndian.Uint32(data[21:])
		return size{int(bits&(1<<14-1)) + 1, int(bits>>14&(1<<14-1)) + 1}, nil
	case "VP8X":
		uint24 := func(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
		return size{uint24(data[24:]) + 1, uint24(data[27:]) + 1}, nil
	default:
		return size{}, fmt.Errorf("webp with an unknown first chunk %q", data[12:16])
	}
}

func TestAskedSizeIsReadFromTheURL(t *testing.T) {
	for _, tt := range []struct {
		url  string
		want asked
	}{
		{"http://h/tr:w-300,h-200/a.jpg", asked{size{300, 200}, false}},
		{"http://h/e/tr:h-200,c-at_max/a%20b.jpg", asked{size{0, 200}, true}},
		{"http://h/a.jpg?x=1&tr=w-400", asked{size{400, 0}, false}},
		{"http://h/tr:w-400,h-300:w-100/a.jpg", asked{size{100, 0}, false}},
		{"http://h/tr:w-400:q-50/a.jpg", asked{size{400, 0}, false}},
		{"http://h/a.jpg", asked{}},
		{"http://h/tr:w-0.5/a.jpg", asked{}},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		got, err := askedSize(u)
		if got != tt.want || (err == nil) != (tt.want != asked{}) {
			t.Errorf("%s: got %+v, %v, want %+v", tt.url, got, err, tt.want)
		}
	}
}

func TestSizesAreComparedAsTheURLMeansThem(t *testing.T) {
	for _, tt := range []struct {
		asked asked
		got   size
		right bool
	}{
		{asked{size{300, 200}, false}, size{300, 200}, true},
		{asked{size{300, 200}, false}, size{300, 199}, false},
		{asked{size{300, 0}, false}, size{300, 17}, true},
		{asked{size{300, 0}, false}, size{299, 17}, false},
		{asked{size{300, 200}, true}, size{148, 200}, true},
		{asked{size{300, 200}, true}, size{148, 199}, false},
		{asked{size{300, 200}, true}, size{301, 200}, false},
	} {
		if fault := tt.asked.compare(tt.got); (fault == "") != tt.right {
			t.Errorf("%+v against %v: got %q", tt.asked, tt.got, fault)
		}
	}
}

func TestPictureSizeKnowsTheThreeKindsOfWebP(t *testing.T) {
	for kind, head := range map[string]string{
		"lossy":    "524946461600000057454250565038209a0000007010009d012a2c01c800",
		"lossless": "5249464616000000574542505650384c160000002f2bc13100071011fd0f",
		"extended": "524946468c01000057454250565038580a000000180000002b0100c70000",
	} {
		data, err := hex.DecodeString(head)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := pictureSize(data); err != nil || got != (size{300, 200}) {
			t.Errorf("%s: got %v, %v, want 300x200", kind, got, err)
		}
	}
}
