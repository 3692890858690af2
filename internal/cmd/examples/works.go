package main

// encoder turns pictures into files. It is an interface because the one implementation needs cgo, and the rest of the
// program is tested without.
type encoder interface {
	start() error
	stop()
	jpeg(p *Picture, film Film, quality int) ([]byte, error)
	press(p *Picture, film Film, quality int, profile []byte) ([]byte, error)
	png(p *Picture, film Film) ([]byte, error)
	webp(p *Picture, film Film, quality int) ([]byte, error)
	avif(p *Picture, film Film, quality int) ([]byte, error)
}

// codec is nil in a build without cgo.
var codec encoder

// work is one file: where it goes and how it is made.
type work struct {
	path string
	make func() ([]byte, error)
}

var works = []work{
	{"library/landscape.jpg", photo(4000, 2667, 80, paintDusk)},
	{"library/portrait.jpg", photo(2400, 3600, 80, paintMorning)},
	{"library/balloon.png", func() ([]byte, error) {
		return codec.png(painted(600, 800, paintFloat), Film{Alpha: true})
	}},
	{"library/still-life.webp", func() ([]byte, error) {
		return codec.webp(painted(1600, 1067, paintStillLife), Film{Grain: 0.5}, 82)
	}},
	{"library/aurora.avif", func() ([]byte, error) {
		return codec.avif(painted(1600, 1000, paintAurora), Film{Grain: 0.4}, 60)
	}},
	{"library/waves.gif", func() ([]byte, error) { return wavesGIF(480, 320) }},
	{"library/print-cmyk.jpg", func() ([]byte, error) {
		profile := pressProfile()
		jpeg, err := codec.press(painted(1200, 800, paintPapercut), Film{}, 80, profile)
		if err != nil {
			return nil, err
		}
		return withSegments(jpeg, iccSegment(profile)), nil
	}},
	{"library/display-p3.jpg", func() ([]byte, error) {
		jpeg, err := codec.jpeg(painted(1200, 1200, paintDahlia), Film{Grain: 0.4}, 82)
		if err != nil {
			return nil, err
		}
		return withSegments(jpeg, iccSegment(displayP3())), nil
	}},
	{"library/rotated.jpg", func() ([]byte, error) {
		jpeg, err := codec.jpeg(turnedLeft(painted(1067, 1600, paintForest)), Film{Grain: 0.5}, 80)
		if err != nil {
			return nil, err
		}
		return withSegments(jpeg, exifSegment(6, "The wood in the morning")), nil
	}},
	{"library/names/summer night.jpg", photo(600, 400, 80, paintSummerNight)},
	{"library/names/one+one.jpg", photo(600, 400, 80, paintOnePlusOne)},
	{"library/names/100%.jpg", photo(600, 400, 80, paintFullMoon)},
	{"library/names/café.jpg", photo(600, 400, 80, paintCafe)},
	{"library/names/山.jpg", photo(600, 400, 80, paintMountain)},
	{"legacy/archive/harbour.jpg", photo(1500, 1000, 80, paintHarbour)},
	{"legacy/archive/lighthouse.jpg", photo(800, 1200, 80, paintLighthouse)},
}

// photo is an ordinary JPEG in sRGB, with a little grain.
func photo(w, h, quality int, paint func(*Picture)) func() ([]byte, error) {
	return func() ([]byte, error) {
		return codec.jpeg(painted(w, h, paint), Film{Grain: 0.5}, quality)
	}
}

func painted(w, h int, paint func(*Picture)) *Picture {
	p := NewPicture(w, h)
	paint(p)
	return p
}
